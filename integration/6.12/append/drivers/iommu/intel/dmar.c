// SPDX-License-Identifier: GPL-2.0-only

EXPORT_SYMBOL_GPL(qi_submit_sync);
