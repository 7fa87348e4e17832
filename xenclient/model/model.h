/* The objects of the model: plain structs generated from the dictionaries. No I/O, no threads. */
#pragma once

#include "xenclient/model/field.h"
#include "xenclient/model/state.h"

/* Members a struct has besides its dictionary are structural: how objects hang together. */

/* Those in front of XC_N_COUNTING_KINDS have counters. */
enum xc_device_kind {
    XC_VIFS,
    XC_VBDS,
    XC_VCPUS,
    XC_N_COUNTING_KINDS,
    XC_POINTS = XC_N_COUNTING_KINDS,
    XC_N_DEVICE_KINDS
};

/* How the struct of every kind of device begins; virtual processors and snapshots count as such. */
#define XC_DEVICE_HEAD                                                                             \
    uint64_t has;                                                                                  \
    uint32_t domain; /* ordinal of its domain in the same report or snapshot */                    \
    uint32_t index   /* what SNMP calls it, unique within the domain; 0 before sealing */
struct xc_device {
    XC_DEVICE_HEAD;
};

struct xc_host {
    uint64_t has;
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) xc_ctype_##kind member;
#include "xenclient/model/host_fields.def"
#undef XC_FIELD
};

struct xc_domain {
    uint64_t has;
    uint32_t index; /* xenDomainIndex, given by the engine; 0 before */
    uint32_t host;  /* ordinal of its host in the same snapshot */
    /* Where its own begin in the snapshot (after sealing); they end where the next domain's begin. */
    uint32_t devices[XC_N_DEVICE_KINDS];
    uint32_t
        detail; /* place of its detail there, beginning with 1; 0: it has none, or before sealing */
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) xc_ctype_##kind member;
#include "xenclient/model/domain_fields.def"
#undef XC_FIELD
};

struct xc_vif {
    XC_DEVICE_HEAD;
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) xc_ctype_##kind member;
#include "xenclient/model/vif_fields.def"
#undef XC_FIELD
};

struct xc_vbd {
    XC_DEVICE_HEAD;
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) xc_ctype_##kind member;
#include "xenclient/model/vbd_fields.def"
#undef XC_FIELD
};

struct xc_vcpu {
    XC_DEVICE_HEAD;
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) xc_ctype_##kind member;
#include "xenclient/model/vcpu_fields.def"
#undef XC_FIELD
};

struct xc_point {
    XC_DEVICE_HEAD;
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) xc_ctype_##kind member;
#include "xenclient/model/point_fields.def"
#undef XC_FIELD
};

/* What few sources know of a domain; at most one for each. */
struct xc_detail {
    uint64_t has;
    uint32_t domain; /* ordinal of its domain in the same report or snapshot */
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) xc_ctype_##kind member;
#include "xenclient/model/detail_fields.def"
#undef XC_FIELD
};

/* How what is shown below its uuid begins: such rows need no number of ours, and are found by the same index for ever. */
#define XC_KEYED_HEAD                                                                              \
    uint64_t has;                                                                                  \
    uint32_t host;  /* ordinal of its host in the same report or snapshot; 0 where it has none */  \
    const char *key /* its uuid as a text, after sealing */
struct xc_keyed {
    XC_KEYED_HEAD;
};

/* A storage repository; of the source, not of one host. */
struct xc_sr {
    XC_KEYED_HEAD;
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) xc_ctype_##kind member;
#include "xenclient/model/sr_fields.def"
#undef XC_FIELD
};

/* A network interface of a host. */
struct xc_pif {
    XC_KEYED_HEAD;
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) xc_ctype_##kind member;
#include "xenclient/model/pif_fields.def"
#undef XC_FIELD
};

/* A message of the hypervisor; in reports only, for it is no state but something that happened. */
struct xc_notice {
    uint64_t has;
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) xc_ctype_##kind member;
#include "xenclient/model/notice_fields.def"
#undef XC_FIELD
};

/* Field numbers: XC_HOST_name, XC_DOMAIN_state, ... and the counts XC_HOST_N_FIELDS, ... */
enum xc_host_field {
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) XC_HOST_##member,
#include "xenclient/model/host_fields.def"
#undef XC_FIELD
    XC_HOST_N_FIELDS
};
enum xc_domain_field {
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) XC_DOMAIN_##member,
#include "xenclient/model/domain_fields.def"
#undef XC_FIELD
    XC_DOMAIN_N_FIELDS
};
enum xc_vif_field {
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) XC_VIF_##member,
#include "xenclient/model/vif_fields.def"
#undef XC_FIELD
    XC_VIF_N_FIELDS
};
enum xc_vbd_field {
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) XC_VBD_##member,
#include "xenclient/model/vbd_fields.def"
#undef XC_FIELD
    XC_VBD_N_FIELDS
};
enum xc_vcpu_field {
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) XC_VCPU_##member,
#include "xenclient/model/vcpu_fields.def"
#undef XC_FIELD
    XC_VCPU_N_FIELDS
};
enum xc_point_field {
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) XC_POINT_##member,
#include "xenclient/model/point_fields.def"
#undef XC_FIELD
    XC_POINT_N_FIELDS
};
enum xc_detail_field {
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) XC_DETAIL_##member,
#include "xenclient/model/detail_fields.def"
#undef XC_FIELD
    XC_DETAIL_N_FIELDS
};
enum xc_sr_field {
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) XC_SR_##member,
#include "xenclient/model/sr_fields.def"
#undef XC_FIELD
    XC_SR_N_FIELDS
};
enum xc_pif_field {
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) XC_PIF_##member,
#include "xenclient/model/pif_fields.def"
#undef XC_FIELD
    XC_PIF_N_FIELDS
};
enum xc_notice_field {
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) XC_NOTICE_##member,
#include "xenclient/model/notice_fields.def"
#undef XC_FIELD
    XC_NOTICE_N_FIELDS
};

extern const struct xc_object xc_host_type;
extern const struct xc_object xc_domain_type;
extern const struct xc_object xc_vif_type;
extern const struct xc_object xc_vbd_type;
extern const struct xc_object xc_vcpu_type;
extern const struct xc_object xc_point_type;
extern const struct xc_object xc_detail_type;
extern const struct xc_object xc_sr_type;
extern const struct xc_object xc_pif_type;
extern const struct xc_object xc_notice_type;

/* Setting and asking by member name: XC_SET(DOMAIN, d, mem_kib, 4096); XC_HAS(DOMAIN, d, mem_kib);
 * XC_CLEAR(DOMAIN, d, domid). Texts are set through xc_report_text() (snapshot.h). */
#define XC_BIT(TYPE, member) ((uint64_t)1 << XC_##TYPE##_##member)
#define XC_SET(TYPE, object, member, value)                                                        \
    ((object)->has |= XC_BIT(TYPE, member), (object)->member = (value))
#define XC_CLEAR(TYPE, object, member) ((object)->has &= ~XC_BIT(TYPE, member))
#define XC_HAS(TYPE, object, member)   (((object)->has & XC_BIT(TYPE, member)) != 0)
