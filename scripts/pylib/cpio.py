# SPDX-License-Identifier: GPL-2.0-only
"""An initramfs archive ("newc" format) without a directory to make it from."""

import os
import stat


class Archive:
    def __init__(self, out):
        self.out = out
        self.ino = 0
        self.dirs = set()

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        self.ino += 1
        raw = name.encode() + b"\0"
        fields = (self.ino, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(raw), 0)
        self._padded(b"070701" + b"".join(b"%08X" % f for f in fields) + raw)
        self._padded(data)

    def _padded(self, data):
        self.out.write(data + b"\0" * (-len(data) % 4))

    def dir(self, name):
        if name and name not in self.dirs:
            self.dir(os.path.dirname(name))
            self.dirs.add(name)
            self._entry(name, stat.S_IFDIR | 0o755)

    def data(self, name, data, mode=0o644):
        self.dir(os.path.dirname(name))
        self._entry(name, stat.S_IFREG | mode, data)

    def file(self, name, path, mode=None):
        with open(path, "rb") as f:
            data = f.read()
            self.data(name, data, mode or stat.S_IMODE(os.fstat(f.fileno()).st_mode))

    def symlink(self, name, target):
        self.dir(os.path.dirname(name))
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def close(self):
        self._entry("TRAILER!!!", 0)
        self.out.flush()
