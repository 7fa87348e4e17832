/* Batches and the mirror. A batch is read whole before anything of it is shown: one that breaks off changes nothing. */
#include "xenclient/drivers/xapi_mirror.h"

#include "xenclient/util/error.h"

#include <string.h>

#define TOKEN_OCTETS 256
#define REF_OCTETS   128
#define OVERHEAD     256 /* of an object: its reference, and its places in arrays and tables */

static size_t weight(const void *object)
{
    return xapi_object_size(object) + OVERHEAD;
}

/* --- reading a batch: the answer's struct is depth 0, an event 2, its record 3 */

enum member { EVENTS, COUNTS, TOKEN, OTHER };
static const char *const members[] = {"events", "valid_ref_counts", "token"};
enum { THERE = 1, GONE = 2 }; /* operations; 0: none that we know */

struct xapi_batch *xapi_batch_new(void)
{
    struct xapi_batch *batch = g_new0(struct xapi_batch, 1);

    batch->changes = g_array_new(FALSE, FALSE, sizeof(struct xapi_change));
    for (unsigned i = 0; i < XAPI_N_CLASSES; i++)
        batch->counts[i] = -1;
    batch->record.class = XAPI_N_CLASSES;
    return batch;
}

static void drop_record(struct xapi_batch *batch)
{
    g_clear_pointer(&batch->record.object, xapi_object_free);
}

void xapi_batch_free(struct xapi_batch *batch)
{
    if (!batch)
        return;
    drop_record(batch);
    for (guint i = 0; i < batch->changes->len; i++)
        xapi_object_free(g_array_index(batch->changes, struct xapi_change, i).object);
    g_array_unref(batch->changes);
    g_free(batch->token);
    g_free(batch->ref);
    g_free(batch);
}

static bool is_event_member(const char *name)
{
    static const char *const known[] = {"class", "operation", "ref", "snapshot"};

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(known[i], name) == 0)
            return true;
    return false;
}

static bool wants(unsigned depth, const char *name, void *data)
{
    struct xapi_batch *batch = data;

    if (depth == 1) {
        batch->member = 0;
        while (batch->member < OTHER && strcmp(members[batch->member], name) != 0)
            batch->member++;
        return batch->member != OTHER;
    }
    if (depth == 0 || batch->member != EVENTS || depth == 2)
        return true;
    if (depth == 3)
        return is_event_member(name) &&
               (strcmp(name, "snapshot") != 0 || batch->record.class != XAPI_N_CLASSES);
    return batch->record.object && xapi_record_wants(&batch->record, depth - 3, name);
}

static void begin_event(struct xapi_batch *batch)
{
    drop_record(batch);
    g_clear_pointer(&batch->ref, g_free);
    batch->record.class = XAPI_N_CLASSES;
    batch->operation = 0;
}

static unsigned operation_of(const char *text)
{
    if (strcmp(text, "del") == 0)
        return GONE;
    return strcmp(text, "add") == 0 || strcmp(text, "mod") == 0 ? THERE : 0;
}

/* What an event says of itself, before or after the record. */
static bool take_event_member(struct xapi_batch *batch, const struct xc_xmlrpc_value *value)
{
    if (strcmp(value->name, "snapshot") == 0)
        return xapi_record_take(&batch->record, value, 0);
    if (value->kind >= XC_XMLRPC_STRUCT)
        return true;
    if (strcmp(value->name, "class") == 0 && !batch->record.object) {
        batch->record.class = xapi_class_of(value->text);
    } else if (strcmp(value->name, "ref") == 0) {
        g_free(batch->ref);
        batch->ref = value->length && value->length <= REF_OCTETS ? g_strdup(value->text) : NULL;
    } else if (strcmp(value->name, "operation") == 0) {
        batch->operation = operation_of(value->text);
    }
    return true;
}

static bool end_event(struct xapi_batch *batch)
{
    struct xapi_change change = {.gone = batch->operation == GONE};
    enum xapi_class class = batch->record.class;

    if (class == XAPI_N_CLASSES || !batch->ref || !batch->operation)
        return true;
    if (!change.gone && !batch->record.object) {
        batch->bare |= 1u << class;
        return true;
    }
    if (change.gone) {
        drop_record(batch);
        change.object = xapi_object_new(class);
    } else {
        change.object = g_steal_pointer(&batch->record.object);
    }
    change.object->ref = g_steal_pointer(&batch->ref);
    g_array_append_val(batch->changes, change);
    batch->octets += weight(change.object);
    batch->too_large = batch->octets > XAPI_BATCH_OCTETS;
    return !batch->too_large;
}

static bool take_in_events(struct xapi_batch *batch, const struct xc_xmlrpc_value *value)
{
    switch (value->depth) {
    case 1:
        return value->kind == XC_XMLRPC_ARRAY || value->kind == XC_XMLRPC_END;
    case 2:
        if (value->kind == XC_XMLRPC_STRUCT)
            begin_event(batch);
        return value->kind == XC_XMLRPC_STRUCT ||
               (value->kind == XC_XMLRPC_END && end_event(batch));
    case 3:
        return take_event_member(batch, value);
    default:
        /* Of a class, say, that is no text but holds something. */
        return !batch->record.object || xapi_record_take(&batch->record, value, value->depth - 3);
    }
}

static void take_count(struct xapi_batch *batch, const struct xc_xmlrpc_value *value)
{
    enum xapi_class class = xapi_class_of(value->name);

    if (class != XAPI_N_CLASSES && !xc_xmlrpc_i64(value, 0, G_MAXINT32, &batch->counts[class]))
        batch->counts[class] = -1;
}

static bool take(const struct xc_xmlrpc_value *value, void *data)
{
    struct xapi_batch *batch = data;

    if (value->depth == 0)
        return value->kind == XC_XMLRPC_STRUCT || value->kind == XC_XMLRPC_END;
    switch (batch->member) {
    case EVENTS:
        return take_in_events(batch, value);
    case COUNTS:
        if (value->depth == 2)
            take_count(batch, value);
        return true;
    default:
        if (value->depth != 1 || value->kind >= XC_XMLRPC_STRUCT || value->length > TOKEN_OCTETS)
            return false;
        g_free(batch->token);
        batch->token = g_strdup(value->text);
        return true;
    }
}

const struct xc_xmlrpc_sink xapi_batch_sink = {wants, take};

/* --- the mirror */

/* The key is the object's own reference. */
static GHashTable *new_table(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, xapi_object_free);
}

struct xapi_mirror *xapi_mirror_new(void)
{
    struct xapi_mirror *mirror = g_new0(struct xapi_mirror, 1);

    for (unsigned i = 0; i < XAPI_N_CLASSES; i++)
        mirror->objects[i] = new_table();
    mirror->all_new = true;
    mirror->news = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return mirror;
}

void xapi_mirror_free(struct xapi_mirror *mirror)
{
    if (!mirror)
        return;
    for (unsigned i = 0; i < XAPI_N_CLASSES; i++)
        g_hash_table_unref(mirror->objects[i]);
    g_hash_table_unref(mirror->news);
    g_free(mirror);
}

/* Where a VM was last is not on the wire once it has stopped. */
static void inherit(struct xapi_vm *vm, const struct xapi_vm *before)
{
    const char *host = vm->resident_on ? vm->resident_on : before ? before->last_host : NULL;

    vm->last_host = g_strdup(host);
}

/* What is made here and lacks disks either gets them in a moment, or is removed. */
static bool is_half_made(const struct xapi_vm *vm)
{
    return vm->doing == XAPI_DOING_IMPORT || vm->doing == XAPI_DOING_PROVISION ||
           (vm->made_by && vm->unmade);
}

bool xapi_vm_is_domain(const struct xapi_vm *vm)
{
    return !(vm->is_template.known && vm->is_template.value) &&
           !(vm->is_snapshot.known && vm->is_snapshot.value) && !is_half_made(vm);
}

static void add_news(struct xapi_mirror *mirror, const char *ref)
{
    if (ref && !g_hash_table_contains(mirror->news, ref))
        g_hash_table_add(mirror->news, g_strdup(ref));
}

/* The VM that a device belongs to; NULL: it is none, or of no VM. */
static const char *vm_of(const struct xapi_object *object)
{
    if (!object)
        return NULL;
    if (object->class == XAPI_VIF)
        return ((const struct xapi_vif *)object)->vm;
    return object->class == XAPI_VBD ? ((const struct xapi_vbd *)object)->vm : NULL;
}

/* now: NULL, it is gone. Of templates and snapshots, which others count, all may be new. */
static void note_news(struct xapi_mirror *mirror, const struct xapi_object *before,
                      const struct xapi_object *now)
{
    enum xapi_class class = now ? now->class : before->class;
    const char *ref = now ? now->ref : before->ref;

    if (mirror->all_new)
        return;
    switch (class) {
    case XAPI_VM:
        mirror->all_new = !before || !now || !xapi_vm_is_domain((const struct xapi_vm *)before) ||
                          !xapi_vm_is_domain((const struct xapi_vm *)now);
        add_news(mirror, ref);
        break;
    case XAPI_VDI:
        mirror->vdis_new = true;
        add_news(mirror, ref);
        break;
    case XAPI_VM_METRICS:
    case XAPI_VM_GUEST_METRICS:
        add_news(mirror, ref);
        break;
    case XAPI_VIF:
    case XAPI_VBD:
        add_news(mirror, vm_of(before));
        add_news(mirror, vm_of(now));
        break;
    case XAPI_SR:
    case XAPI_PBD:
    case XAPI_PIF:
    case XAPI_PIF_METRICS:
    case XAPI_BOND:
    case XAPI_MESSAGE:
        break; /* told of whole every time */
    default:
        mirror->all_new = !before || !now || xapi_object_differs(before, now);
    }
}

static void take_vm(GHashTable *vms, GHashTable *left, struct xapi_vm *vm)
{
    const char *const refs[] = {vm->head.ref, vm->metrics, vm->guest_metrics};

    g_hash_table_add(vms, vm->head.ref);
    for (size_t i = 0; i < G_N_ELEMENTS(refs); i++)
        if (refs[i])
            g_hash_table_remove(left, refs[i]);
}

static bool is_in(GHashTable *refs, const char *ref)
{
    return ref && g_hash_table_contains(refs, ref);
}

/* Whose metrics or disks are new, though nothing else of them is: seldom any, so that seldom all are looked at. */
static void take_owners(const struct xapi_mirror *mirror, GHashTable *vms, GHashTable *left)
{
    GHashTableIter iter;
    gpointer object;

    g_hash_table_iter_init(&iter, mirror->objects[XAPI_VM]);
    while (g_hash_table_size(left) && g_hash_table_iter_next(&iter, NULL, &object)) {
        struct xapi_vm *vm = object;

        if (is_in(left, vm->metrics) || is_in(left, vm->guest_metrics))
            g_hash_table_add(vms, vm->head.ref);
    }
    g_hash_table_iter_init(&iter, mirror->objects[XAPI_VBD]);
    while (mirror->vdis_new && g_hash_table_iter_next(&iter, NULL, &object)) {
        struct xapi_vbd *vbd = object;

        if (is_in(left, vbd->vdi) && vbd->vm)
            g_hash_table_add(vms, vbd->vm);
    }
}

GHashTable *xapi_mirror_news(const struct xapi_mirror *mirror)
{
    GHashTable *vms = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) left = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    gpointer ref;

    g_hash_table_iter_init(&iter, mirror->news);
    while (g_hash_table_iter_next(&iter, &ref, NULL))
        g_hash_table_add(left, ref);
    g_hash_table_iter_init(&iter, mirror->news);
    while (g_hash_table_iter_next(&iter, &ref, NULL)) {
        struct xapi_vm *vm = g_hash_table_lookup(mirror->objects[XAPI_VM], ref);

        if (vm)
            take_vm(vms, left, vm);
    }
    take_owners(mirror, vms, left);
    return vms;
}

void xapi_mirror_reported(struct xapi_mirror *mirror)
{
    mirror->all_new = mirror->vdis_new = false;
    g_hash_table_remove_all(mirror->news);
}

static void apply_one(struct xapi_mirror *mirror, GHashTable *before_in, struct xapi_change *change,
                      bool *changed)
{
    struct xapi_object *object = change->object;
    GHashTable *table = mirror->objects[object->class];
    const void *before = g_hash_table_lookup(before_in, object->ref);
    const void *replaced = g_hash_table_lookup(table, object->ref);

    mirror->octets -= replaced ? weight(replaced) : 0;
    if (before || !change->gone)
        note_news(mirror, before, change->gone ? NULL : object);
    if (change->gone) {
        *changed = g_hash_table_remove(table, object->ref) || *changed;
        return;
    }
    if (object->class == XAPI_VM)
        inherit((struct xapi_vm *)object, before);
    if (!before || xapi_object_differs(before, object))
        *changed = true;
    mirror->octets += weight(object);
    change->object = NULL;
    g_hash_table_replace(table, object->ref, object);
}

/* Classes of which the server has another number of objects than the mirror. Messages are not in XAPI's database, of which
 * these are the numbers: none are counted, however many there are. */
static unsigned compare_counts(struct xapi_mirror *mirror, const struct xapi_batch *batch,
                               unsigned asked, unsigned whole)
{
    unsigned stale = 0;

    for (unsigned i = 0; i < XAPI_N_CLASSES; i++) {
        gint64 odd = batch->counts[i] - g_hash_table_size(mirror->objects[i]);

        if (!(asked & (1u << i)) || batch->counts[i] < 0 || i == XAPI_MESSAGE)
            continue;
        /* One that differs right after all were read counts otherwise than we do: asking again would not help. */
        if (whole & (1u << i))
            mirror->odd[i] = odd;
        if (odd != mirror->odd[i])
            stale |= 1u << i;
    }
    return stale;
}

static bool within_bounds(const struct xapi_mirror *mirror, GError **error)
{
    for (unsigned i = 0; i < XAPI_N_CLASSES; i++)
        if (g_hash_table_size(mirror->objects[i]) > XAPI_OBJECTS_MAX)
            return xc_fail(error, XC_CAUSE_LIMIT, "the pool has more than %d objects of class %s",
                           XAPI_OBJECTS_MAX, xapi_class_name((enum xapi_class)i));
    if (mirror->octets > XAPI_BATCH_OCTETS)
        return xc_fail(error, XC_CAUSE_LIMIT, "the pool has more than %zu MiB of objects",
                       XAPI_BATCH_OCTETS >> 20);
    return true;
}

static size_t weight_of_all(GHashTable *table)
{
    GHashTableIter iter;
    gpointer object;
    size_t octets = 0;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, NULL, &object))
        octets += weight(object);
    return octets;
}

bool xapi_mirror_apply(struct xapi_mirror *mirror, struct xapi_batch *batch, unsigned asked,
                       unsigned whole, bool *changed, unsigned *stale, GError **error)
{
    GHashTable *old[XAPI_N_CLASSES] = {NULL};

    for (unsigned i = 0; i < XAPI_N_CLASSES; i++) {
        if (!(whole & (1u << i)))
            continue;
        mirror->all_new = true;
        old[i] = mirror->objects[i];
        mirror->octets -= weight_of_all(old[i]);
        mirror->objects[i] = new_table();
    }
    for (guint i = 0; i < batch->changes->len; i++) {
        struct xapi_change *change = &g_array_index(batch->changes, struct xapi_change, i);
        enum xapi_class class = change->object->class;

        apply_one(mirror, old[class] ? old[class] : mirror->objects[class], change, changed);
    }
    for (unsigned i = 0; i < XAPI_N_CLASSES; i++) {
        if (!old[i])
            continue;
        *changed = *changed || g_hash_table_size(old[i]) != g_hash_table_size(mirror->objects[i]);
        g_hash_table_unref(old[i]);
    }
    *stale = compare_counts(mirror, batch, asked, whole) | (batch->bare & asked & ~whole);
    return within_bounds(mirror, error);
}

const void *xapi_mirror_find(const struct xapi_mirror *mirror, enum xapi_class class,
                             const char *ref)
{
    return ref ? g_hash_table_lookup(mirror->objects[class], ref) : NULL;
}

const struct xapi_pool *xapi_mirror_pool(const struct xapi_mirror *mirror)
{
    GHashTableIter iter;
    gpointer pool = NULL;

    g_hash_table_iter_init(&iter, mirror->objects[XAPI_POOL]);
    return g_hash_table_iter_next(&iter, NULL, &pool) ? pool : NULL;
}

const struct xapi_host *xapi_mirror_master(const struct xapi_mirror *mirror)
{
    const struct xapi_pool *pool = xapi_mirror_pool(mirror);

    return pool ? xapi_mirror_find(mirror, XAPI_HOST, pool->master) : NULL;
}
