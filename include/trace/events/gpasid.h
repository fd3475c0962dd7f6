/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASIDs: what is bound, what devices ask for, and what it costs.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM gpasid

#if !defined(_TRACE_GPASID_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_GPASID_H

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(gpasid_table,
	TP_PROTO(struct device *dev, u32 pasid, u64 pgtbl, u8 addr_width),
	TP_ARGS(dev, pasid, pgtbl, addr_width),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u64, pgtbl)
		__field(u32, pasid)
		__field(u8, addr_width)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->pgtbl = pgtbl;
		__entry->pasid = pasid;
		__entry->addr_width = addr_width;
	),
	TP_printk("dev=%s pasid=%u pgtbl=0x%llx addr_width=%u",
		  __get_str(dev), __entry->pasid, __entry->pgtbl,
		  __entry->addr_width)
);

/* A PASID is bound: to a first stage, or with width 0 to the parent alone. */
DEFINE_EVENT(gpasid_table, gpasid_bind,
	TP_PROTO(struct device *dev, u32 pasid, u64 pgtbl, u8 addr_width),
	TP_ARGS(dev, pasid, pgtbl, addr_width)
);

/* A bound PASID has another first stage under the same parent. */
DEFINE_EVENT(gpasid_table, gpasid_replace,
	TP_PROTO(struct device *dev, u32 pasid, u64 pgtbl, u8 addr_width),
	TP_ARGS(dev, pasid, pgtbl, addr_width)
);

/* No entry and no cached translation of the PASID is left. */
TRACE_EVENT(gpasid_unbind,
	TP_PROTO(struct device *dev, u32 pasid),
	TP_ARGS(dev, pasid),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u32, pasid)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->pasid = pasid;
	),
	TP_printk("dev=%s pasid=%u", __get_str(dev), __entry->pasid)
);

/* A group of page requests is complete; the address is that of its last one. */
TRACE_EVENT(gpasid_page_request,
	TP_PROTO(struct device *dev, const struct iommu_fault_page_request *prm,
		 size_t requests),
	TP_ARGS(dev, prm, requests),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u64, addr)
		__field(u32, pasid)
		__field(u32, group)
		__field(u32, perm)
		__field(u32, requests)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->addr = prm->addr;
		__entry->pasid = prm->pasid;
		__entry->group = prm->grpid;
		__entry->perm = prm->perm;
		__entry->requests = requests;
	),
	TP_printk("dev=%s pasid=%u group=%u addr=0x%llx perm=%s requests=%u",
		  __get_str(dev), __entry->pasid, __entry->group,
		  __entry->addr,
		  __print_flags(__entry->perm, "|",
				{ IOMMU_FAULT_PERM_READ, "read" },
				{ IOMMU_FAULT_PERM_WRITE, "write" },
				{ IOMMU_FAULT_PERM_EXEC, "exec" },
				{ IOMMU_FAULT_PERM_PRIV, "priv" }),
		  __entry->requests)
);

TRACE_EVENT(gpasid_page_answer,
	TP_PROTO(struct device *dev, const struct iommu_fault_page_request *prm,
		 int code, unsigned int waited_ms),
	TP_ARGS(dev, prm, code, waited_ms),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u32, pasid)
		__field(u32, group)
		__field(int, code)
		__field(unsigned int, waited_ms)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->pasid = prm->pasid;
		__entry->group = prm->grpid;
		__entry->code = code;
		__entry->waited_ms = waited_ms;
	),
	TP_printk("dev=%s pasid=%u group=%u code=%s waited_ms=%u",
		  __get_str(dev), __entry->pasid, __entry->group,
		  __print_symbolic(__entry->code,
				   { IOMMU_PAGE_RESP_SUCCESS, "success" },
				   { IOMMU_PAGE_RESP_INVALID, "invalid" },
				   { IOMMU_PAGE_RESP_FAILURE, "failure" }),
		  __entry->waited_ms)
);

/* A device enters a reset, or has left it. */
TRACE_EVENT(gpasid_reset,
	TP_PROTO(struct device *dev, bool inside),
	TP_ARGS(dev, inside),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(bool, inside)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->inside = inside;
	),
	TP_printk("dev=%s %s", __get_str(dev),
		  __entry->inside ? "prepare" : "done")
);

/* Invalidations that are submitted to a unit at once, and waited for once. */
TRACE_EVENT(gpasid_inv_batch,
	TP_PROTO(const char *unit, unsigned int descriptors),
	TP_ARGS(unit, descriptors),
	TP_STRUCT__entry(
		__string(unit, unit)
		__field(unsigned int, descriptors)
	),
	TP_fast_assign(
		__assign_str(unit);
		__entry->descriptors = descriptors;
	),
	TP_printk("unit=%s descriptors=%u", __get_str(unit),
		  __entry->descriptors)
);

#endif /* _TRACE_GPASID_H */

#include <trace/define_trace.h>
