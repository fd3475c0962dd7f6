# SPDX-License-Identifier: GPL-2.0-only
"""Progress with elapsed time, on a terminal and in a log alike."""

import os
import signal
import subprocess
import sys
import time


class Step:
    """One named piece of work: says when it begins, how it goes, when it ends.

    On a terminal the progress overwrites its own line; elsewhere a line is
    printed every `every` seconds.
    """

    def __init__(self, name, every=20, out=sys.stderr):
        self.name = name
        self.every = every
        self.out = out
        self.tty = out.isatty()
        self.start = self.shown = time.monotonic()
        self.open = False

    def elapsed(self):
        return time.monotonic() - self.start

    def _line(self, text):
        return f"[{self.elapsed():6.1f} s] {self.name}: {text}"

    def say(self, text):
        """A line that stays."""
        self._clear()
        print(self._line(text), file=self.out, flush=True)

    def progress(self, text):
        now = time.monotonic()
        if now - self.shown < (0.2 if self.tty else self.every):
            return
        self.shown = now
        if self.tty:
            self._clear()
            self.out.write(self._line(text)[:100])
            self.out.flush()
            self.open = True
        else:
            self.say(text)

    def _clear(self):
        if self.open:
            self.out.write("\r\033[K")
            self.open = False

    def close(self):
        self._clear()


def clean_env(**extra):
    """The environment without what an enclosing make or kernel build left."""
    drop = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ARCH",
            "CROSS_COMPILE", "O", "C", "W", "V", "LLVM")
    env = {k: v for k, v in os.environ.items()
           if k not in drop and not k.startswith(("KBUILD_", "KCONFIG_"))}
    env["LC_ALL"] = "C"
    env.update(extra)
    return env


def run_logged(argv, log, step, count=None, cwd=None, env=None, append=False):
    """Run argv with its output in the file `log`; count() maps a line to an
    amount of work done, which the progress line shows.  Returns the status."""
    done = 0
    with open(log, "ab" if append else "wb") as out:
        proc = subprocess.Popen(argv, cwd=cwd, env=env or clean_env(),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, start_new_session=True)
        try:
            for line in proc.stdout:
                out.write(line)
                if count:
                    done += count(line.decode(errors="replace"))
                step.progress(f"{done} objects" if count else "...")
            return proc.wait()
        except BaseException:
            os.killpg(proc.pid, signal.SIGTERM)
            proc.wait()
            raise
        finally:
            step.close()


def tail(path, lines=40):
    with open(path, errors="replace") as f:
        return "".join(f.readlines()[-lines:])
