/* SPDX-License-Identifier: GPL-2.0-only */
/* What Coccinelle does not know by itself: it would pass over a function that has it. */
#define scoped_guard(args...) YACFE_ITERATOR
