/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Numbers of the VT-d specification, revision 4.1: registers, structures, descriptors and
 * fault reasons, in the order in which the specification gives them.
 */
#ifndef VTD_SPEC_H
#define VTD_SPEC_H

#include "base.h"

/* "Register Descriptions" */
#define REG_VER		0x000
#define REG_CAP		0x008
#define REG_ECAP	0x010
#define REG_GCMD	0x018
#define REG_GSTS	0x01c
#define REG_RTADDR	0x020
#define REG_CCMD	0x028
#define REG_FSTS	0x034
#define REG_FECTL	0x038
#define REG_FEDATA	0x03c
#define REG_FEADDR	0x040
#define REG_FEUADDR	0x044
#define REG_IQH		0x080
#define REG_IQT		0x088
#define REG_IQA		0x090
#define REG_ICS		0x09c
#define REG_IECTL	0x0a0
#define REG_IEDATA	0x0a4
#define REG_IEADDR	0x0a8
#define REG_IEUADDR	0x0ac
#define REG_IQERCD	0x0b0
#define REG_IRTA	0x0b8
#define REG_PQH		0x0c0
#define REG_PQT		0x0c8
#define REG_PQA		0x0d0
#define REG_PRS		0x0dc
#define REG_PECTL	0x0e0
#define REG_PEDATA	0x0e4
#define REG_PEADDR	0x0e8
#define REG_PEUADDR	0x0ec
/* The unit chooses where these stand and says so in FRO and IRO. */
#define REG_FRCD	0x200
#define REG_IVA		0x500
#define REG_IOTLB	0x508
#define REG_VCMD	0xe00
#define REG_VCRSP	0xe10
#define REG_VCCAP	0xe30

/* "Capability Register" */
#define CAP_ND(v)	((u64)(v) << 0)
#define CAP_RWBF	BIT_ULL(4)
#define CAP_CM		BIT_ULL(7)
#define CAP_SAGAW(v)	((u64)(v) << 8)
#define CAP_MGAW(v)	((u64)(v) << 16)
#define CAP_ZLR		BIT_ULL(22)
#define CAP_FRO(v)	((u64)(v) << 24)
#define CAP_SSLPS(v)	((u64)(v) << 34)
#define CAP_PSI		BIT_ULL(39)
#define CAP_NFR(v)	((u64)(v) << 40)
#define CAP_MAMV(v)	((u64)(v) << 48)
#define CAP_DWD		BIT_ULL(54)
#define CAP_DRD		BIT_ULL(55)
#define CAP_FS1GP	BIT_ULL(56)
#define CAP_FS5LP	BIT_ULL(60)
#define CAP_ESRTPS	BIT_ULL(63)

/* "Extended Capability Register" */
#define ECAP_C		BIT_ULL(0)
#define ECAP_QI		BIT_ULL(1)
#define ECAP_DT		BIT_ULL(2)
#define ECAP_PT		BIT_ULL(6)
#define ECAP_SC		BIT_ULL(7)
#define ECAP_IRO(v)	((u64)(v) << 8)
#define ECAP_NEST	BIT_ULL(26)
#define ECAP_PRS	BIT_ULL(29)
#define ECAP_ERS	BIT_ULL(30)
#define ECAP_SRS	BIT_ULL(31)
#define ECAP_NWFS	BIT_ULL(33)
#define ECAP_EAFS	BIT_ULL(34)
#define ECAP_PSS(v)	((u64)(v) << 35)
#define ECAP_PASID	BIT_ULL(40)
#define ECAP_PDS	BIT_ULL(42)
#define ECAP_SMTS	BIT_ULL(43)
#define ECAP_VCS	BIT_ULL(44)
#define ECAP_SSADS	BIT_ULL(45)
#define ECAP_SSTS	BIT_ULL(46)
#define ECAP_FSTS	BIT_ULL(47)
#define ECAP_SMPWCS	BIT_ULL(48)
#define ECAP_RPS	BIT_ULL(49)
#define ECAP_ADMS	BIT_ULL(52)
#define ECAP_RPRIVS	BIT_ULL(53)

/* "Global Command Register", "Global Status Register" */
#define GCMD_TE		BIT_ULL(31)
#define GCMD_SRTP	BIT_ULL(30)
#define GCMD_WBF	BIT_ULL(27)
#define GCMD_QIE	BIT_ULL(26)
#define GCMD_IRE	BIT_ULL(25)
#define GCMD_SIRTP	BIT_ULL(24)
#define GCMD_CFI	BIT_ULL(23)

#define RTADDR_TTM(v)	bits(v, 11, 10)
#define TTM_LEGACY	0
#define TTM_SCALABLE	1
#define TTM_ABORT	3

/* "Context Command Register" */
#define CCMD_ICC	BIT_ULL(63)
#define CCMD_CIRG(v)	bits(v, 62, 61)
#define CCMD_CAIG	GENMASK_ULL(60, 59)
/* What is shown when it is done, with the granularity that was carried out. */
#define CCMD_DONE(v, g)	(((v) & ~(CCMD_ICC | CCMD_CAIG)) | (u64)(g) << 59)
#define CCMD_FM(v)	bits(v, 33, 32)
#define CCMD_SID(v)	bits(v, 31, 16)
#define CCMD_DID(v)	bits(v, 15, 0)

/* "IOTLB Invalidate Register", "Invalidate Address Register" */
#define IOTLB_IVT	BIT_ULL(63)
#define IOTLB_IIRG(v)	bits(v, 61, 60)
#define IOTLB_IAIG	GENMASK_ULL(58, 57)
#define IOTLB_DONE(v, g) \
	(((v) & ~(IOTLB_IVT | IOTLB_IAIG)) | (u64)(g) << 57)
#define IOTLB_REG_DR(v)	bits(v, 49, 49)
#define IOTLB_REG_DW(v)	bits(v, 48, 48)
#define IOTLB_REG_DID(v)	bits(v, 47, 32)

/* "Fault Status Register" */
#define FSTS_PFO	BIT_ULL(0)
#define FSTS_PPF	BIT_ULL(1)
#define FSTS_IQE	BIT_ULL(4)
#define FSTS_ICE	BIT_ULL(5)
#define FSTS_ITE	BIT_ULL(6)
#define FSTS_FRI(v)	((u32)(v) << 8)
#define FSTS_RW1C	(FSTS_PFO | FSTS_IQE | FSTS_ICE | FSTS_ITE)

/* Event control registers: FECTL, IECTL, PECTL */
#define ECTL_IM		0x80000000u
#define ECTL_IP		0x40000000u

/* "Fault Recording Registers", 32-bit words */
#define FRCD_W3_F	0x80000000u
#define FRCD_W3_T1	0x40000000u
#define FRCD_W3_AT(v)	((u32)(v) << 28)
#define FRCD_W3_PV(v)	((u32)(v) << 8)
#define FRCD_W2_PP	0x80000000u
#define FRCD_W2_EXE	0x40000000u
#define FRCD_W2_PRIV	0x20000000u
#define FRCD_W2_T2	0x10000000u

/* "Invalidation Queue Address Register" */
#define IQA_QS(v)	bits(v, 2, 0)
#define IQA_DW		BIT_ULL(11)

/* "Invalidation Queue Error Record Register" */
#define IQERCD_ITESID(v)	((u64)(v) << 32)
#define IQERCD_ICESID(v)	((u64)(v) << 48)
enum iqei {
	IQEI_NONE,
	IQEI_TAIL_INVALID,
	IQEI_FETCH,
	IQEI_TYPE,
	IQEI_RESERVED,
	IQEI_WIDTH,
	IQEI_TAIL_MISALIGNED,
	IQEI_TTM,
};

#define ICS_IWC		1u

/* "Virtual Command Capability, Register, Response Register" */
#define VCCAP_PAS	BIT_ULL(0)
#define VCMD_CMD(v)	bits(v, 7, 0)
#define VCMD_ALLOC	1
#define VCMD_FREE	2
#define VCMD_PASID(v)	bits(v, 35, 16)
#define VCRSP_SC(v)	((u64)(v) << 1)
#define VCRSP_PASID(v)	((u64)(v) << 16)
#define VCSC_UNKNOWN	1
#define VCSC_NO_PASID	16
#define VCSC_BAD_PASID	16

/* "Page Request Status Register" */
#define PRS_PPR		1u
#define PRS_PRO		2u

/* "Root Entry", "Context Entry": legacy mode */
#define LCTX_TT(v)	bits(v, 3, 2)
#define LCTX_RSVD0	GENMASK_ULL(11, 4)
#define LCTX_AW(v)	bits(v, 2, 0)
#define LCTX_DID(v)	bits(v, 23, 8)
#define LCTX_RSVD1	(GENMASK_ULL(63, 24) | BIT_ULL(7))

enum lctx_tt {
	LCTX_UNTRANSLATED = 0,	/* all else is blocked */
	LCTX_ALL = 1,		/* and requests of device TLBs */
	LCTX_PASSTHROUGH = 2,	/* untranslated requests, as they are */
};

/* "Scalable-Mode Root Entry", "Scalable-Mode Context Entry" */
#define ROOT_P		BIT_ULL(0)
#define ROOT_RSVD	GENMASK_ULL(11, 1)
#define CTX_P		BIT_ULL(0)
#define CTX_FPD		BIT_ULL(1)
#define CTX_DTE		BIT_ULL(2)
#define CTX_PASIDE	BIT_ULL(3)
#define CTX_PRE		BIT_ULL(4)
#define CTX_PDTS(v)	bits(v, 11, 9)
#define CTX_RSVD0	GENMASK_ULL(8, 5)
#define CTX_RID_PASID(v)	bits(v, 19, 0)
#define CTX_RID_PRIV	BIT_ULL(20)
#define CTX_RSVD1	GENMASK_ULL(63, 21)

/* "Scalable-Mode PASID Directory Entry" */
#define PDE_P		BIT_ULL(0)
#define PDE_FPD		BIT_ULL(1)
#define PDE_RSVD	GENMASK_ULL(11, 2)

/* "Scalable-Mode PASID-Table Entry": qword 0 */
#define PE_P		BIT_ULL(0)
#define PE_AW_IS(v)	((u64)(v) << 2)
#define PE_PGTT_IS(v)	((u64)(v) << 6)
#define PE_FPD		BIT_ULL(1)
#define PE_AW(v)	bits(v, 4, 2)
#define PE_SSEE		BIT_ULL(5)
#define PE_PGTT(v)	bits(v, 8, 6)
#define PE_SSADE	BIT_ULL(9)
#define PE_RSVD0	GENMASK_ULL(11, 10)
/* qword 1 */
#define PE_DID(v)	bits(v, 15, 0)
#define PE_RSVD1	GENMASK_ULL(22, 16)
#define PE_PWSNP	BIT_ULL(23)
#define PE_PGSNP	BIT_ULL(24)
/* qword 2 */
#define PE_SRE		BIT_ULL(0)
#define PE_ERE		BIT_ULL(1)
#define PE_FSPM(v)	bits(v, 3, 2)
#define PE_WPE		BIT_ULL(4)
#define PE_NXE		BIT_ULL(5)
#define PE_SMEP		BIT_ULL(6)
#define PE_EAFE		BIT_ULL(7)
#define PE_RSVD2	GENMASK_ULL(11, 8)

enum pgtt {
	PGTT_FIRST = 1,
	PGTT_SECOND = 2,
	PGTT_NESTED = 3,
	PGTT_PASSTHROUGH = 4,
};

#define PASID_BITS	20
#define PASID_NONE	(~0u)		/* request without PASID, in tags */

/* "First-Stage Paging Entries" */
#define FS_P		BIT_ULL(0)
#define FS_RW		BIT_ULL(1)
#define FS_US		BIT_ULL(2)
#define FS_A		BIT_ULL(5)
#define FS_D		BIT_ULL(6)
#define FS_PS		BIT_ULL(7)
#define FS_EA		BIT_ULL(10)
#define FS_XD		BIT_ULL(63)

/* "Second-Stage Paging Entries" */
#define SS_R		BIT_ULL(0)
#define SS_W		BIT_ULL(1)
#define SS_X		BIT_ULL(2)
#define SS_PS		BIT_ULL(7)
#define SS_A		BIT_ULL(8)
#define SS_D		BIT_ULL(9)
#define SS_SNP		BIT_ULL(11)
#define SS_TM		BIT_ULL(62)	/* transient mapping */

/* "Interrupt Address Range" */
#define INTR_BASE	0xfee00000ULL
#define INTR_END	0xfef00000ULL

/* "Fault Reason Encodings", named by the fault conditions */
enum fault_reason {
	FR_NONE = 0,
	/* Legacy mode */
	FR_LRT_2 = 0x01,	/* root entry not present */
	FR_LCT_2 = 0x02,	/* context entry not present */
	FR_LCT_4 = 0x03,	/* context entry, invalid programming */
	FR_LGN_1 = 0x04,	/* address beyond the width */
	FR_LGN_2 = 0x05,	/* no write permission */
	FR_LGN_3 = 0x06,	/* no read permission */
	FR_LSS_1 = 0x07,	/* second-stage entry unreachable */
	FR_LRT_1 = 0x08,	/* root entry unreachable */
	FR_LCT_1 = 0x09,	/* context entry unreachable */
	FR_LRT_3 = 0x0a,	/* root entry, reserved field */
	FR_LCT_3 = 0x0b,	/* context entry, reserved field */
	FR_LSS_2 = 0x0c,	/* second-stage entry, reserved field */
	FR_LCT_5 = 0x0d,	/* translation or translated request blocked by TT */
	FR_LGN_4 = 0x0e,	/* interrupt address range */
	FR_RTA_1 = 0x30,	/* translation table mode invalid */
	FR_RTA_2 = 0x31,	/* request with PASID in legacy mode */
	FR_RTA_3 = 0x32,	/* page request in legacy mode */
	FR_RTA_4 = 0x33,	/* any request in abort-DMA mode */
	FR_SRT_1 = 0x38,	/* root entry unreachable */
	FR_SRT_2 = 0x39,	/* root entry not present */
	FR_SRT_3 = 0x3a,	/* root entry, reserved field */
	FR_SCT_1 = 0x40,	/* context entry unreachable */
	FR_SCT_2 = 0x41,	/* context entry not present */
	FR_SCT_3 = 0x42,	/* context entry, reserved field */
	FR_SCT_4 = 0x43,	/* context entry, invalid programming */
	FR_SCT_5 = 0x44,	/* translation or translated request, DTE clear */
	FR_SCT_6 = 0x45,	/* request with PASID, PASIDE clear */
	FR_SCT_7 = 0x46,	/* PASID beyond PDTS */
	FR_SCT_8 = 0x47,	/* page request, PRE clear */
	FR_SCT_9 = 0x48,	/* RID_PASID beyond PDTS */
	FR_SPD_1 = 0x50,	/* PASID directory entry unreachable */
	FR_SPD_2 = 0x51,	/* not present */
	FR_SPD_3 = 0x52,	/* reserved field */
	FR_SPT_1 = 0x58,	/* PASID-table entry unreachable */
	FR_SPT_2 = 0x59,	/* not present */
	FR_SPT_3 = 0x5a,	/* reserved field */
	FR_SPT_4 = 0x5b,	/* invalid programming */
	FR_SPT_5 = 0x5c,	/* execute requested, ERE clear */
	FR_SPT_6 = 0x5d,	/* privileged mode requested, SRE clear */
	FR_SFS_1 = 0x70,	/* first-stage entry unreachable */
	FR_SFS_2 = 0x71,	/* not present */
	FR_SFS_3 = 0x72,	/* reserved field */
	FR_SFS_4 = 0x73,	/* entry of the first-stage root table unreachable */
	FR_SFS_5 = 0x74,	/* nested: address of the entry beyond the second stage */
	FR_SFS_6 = 0x75,	/* nested: root table, no second-stage read permission */
	FR_SFS_7 = 0x76,	/* nested: other table, no second-stage read permission */
	FR_SFS_8 = 0x77,	/* nested: A/D update, no second-stage write permission */
	FR_SSS_1 = 0x78,	/* second-stage entry unreachable */
	FR_SSS_2 = 0x79,	/* neither read nor write permission: not present */
	FR_SSS_3 = 0x7a,	/* reserved field */
	FR_SSS_4 = 0x7b,	/* entry of the second-stage root table unreachable */
	FR_SSS_5 = 0x7c,	/* A/D update needed, page walk does not snoop */
	FR_SGN_1 = 0x80,	/* address not canonical */
	FR_SGN_2 = 0x81,	/* user request, supervisor page */
	FR_SGN_3 = 0x82,	/* no execute permission */
	FR_SGN_4 = 0x83,	/* address beyond the host address width */
	FR_SGN_5 = 0x84,	/* address beyond the second stage's width */
	FR_SGN_6 = 0x85,	/* no write permission */
	FR_SGN_7 = 0x86,	/* no read permission */
	FR_SGN_8 = 0x87,	/* interrupt address range */
	FR_SFS_9 = 0x90,	/* A/D update needed, page walk does not snoop */
};

/* "Invalidation Descriptors" */
enum inv_type {
	INV_CONTEXT = 1,
	INV_IOTLB = 2,
	INV_DEVTLB = 3,
	INV_IEC = 4,
	INV_WAIT = 5,
	INV_PIOTLB = 6,
	INV_PASID_CACHE = 7,
	INV_PDEVTLB = 8,
	INV_PGRP_RESP = 9,
	INV_PSTREAM_RESP = 10,
};

/* Fields of quadword 0, for the descriptors that have them */
#define INV_G(v)	bits(v, 5, 4)
#define INV_DID(v)	bits(v, 31, 16)
#define INV_PASID(v)	bits(v, 51, 32)
#define INV_SID(v)	bits(v, 47, 32)		/* context cache, device TLB */
#define INV_FM(v)	bits(v, 49, 48)
#define INV_PASID_SID(v)	bits(v, 31, 16)	/* PASID-based device TLB */
/* Quadword 1 of an IOTLB descriptor, and S of device TLBs */
#define INV_HINT(v)	bits(v, 6, 6)
#define INV_S(v)	((v) & 1)
#define INV_PASID_S(v)	bits(v, 11, 11)
#define INV_ALL_PASIDS(v)	((v) & 1)

/* "IOTLB Invalidate Descriptor" */
#define IOTLB_DW	BIT_ULL(6)
#define IOTLB_DR	BIT_ULL(7)

static inline u8 inv_type(u64 qword0)
{
	return bits(qword0, 3, 0) | bits(qword0, 11, 9) << 4;
}

#define WAIT_IF		BIT_ULL(4)
#define WAIT_SW		BIT_ULL(5)
#define WAIT_FN		BIT_ULL(6)
#define WAIT_PD		BIT_ULL(7)

/* "Page Group Response Descriptor", response codes */
enum prq_code {
	PRQ_SUCCESS = 0,
	PRQ_INVALID = 1,
	PRQ_FAILURE = 15,
};

#endif /* VTD_SPEC_H */
