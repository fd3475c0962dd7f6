// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs: the tracepoints.  Built in, as some of their callers are.
 */
#define CREATE_TRACE_POINTS
#include <trace/events/gpasid.h>

EXPORT_TRACEPOINT_SYMBOL_GPL(gpasid_bind);
EXPORT_TRACEPOINT_SYMBOL_GPL(gpasid_replace);
EXPORT_TRACEPOINT_SYMBOL_GPL(gpasid_unbind);
EXPORT_TRACEPOINT_SYMBOL_GPL(gpasid_inv_batch);
