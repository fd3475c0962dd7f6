/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef FUZZ_H
#define FUZZ_H

#include "fake_host.h"

/* What libFuzzer calls, under the name that it knows. */
int fuzz_one(const u8 *data, size_t size) __asm__("LLVMFuzzerTestOneInput");

#endif /* FUZZ_H */
