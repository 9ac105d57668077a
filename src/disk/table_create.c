/* A new partition table on an empty image. Every number is settled by
 * table_layout() before; libfdisk only writes it down. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "disk/seed.h"
#include "disk/table.h"

struct partition_refs {
        struct fdisk_partition *pa;
        struct fdisk_parttype *type;
};

static void refs_clear(struct partition_refs *refs)
{
        fdisk_unref_partition(refs->pa);
        fdisk_unref_parttype(refs->type);
}

static int set_type(struct table_context *ctx, struct partition_refs *refs, enum disk_label label, const char *text,
                    struct error *err)
{
        struct fdisk_label *fdisk_label = fdisk_get_label(ctx->cxt, NULL);
        const char *guid;
        unsigned int code;
        int r;

        if (label == DISK_GPT) {
                r = gpt_type_parse(text ?: "8300", &guid, err);
                if (r < 0)
                        return r;
                refs->type = fdisk_label_parse_parttype(fdisk_label, guid);
        } else {
                r = dos_type_parse(text ?: "83", &code, err);
                if (r < 0)
                        return r;
                refs->type = fdisk_label_get_parttype_from_code(fdisk_label, code);
                if (!refs->type)
                        refs->type = fdisk_new_unknown_parttype(code, "");
        }
        if (!refs->type || fdisk_partition_set_type(refs->pa, refs->type) < 0)
                return error_set(err, EINVAL, "partition type '%s' was refused", text ?: "");
        return 0;
}

static int add_partition(struct table_context *ctx, enum disk_label label, const struct disk_layout_partition *part,
                         const struct table_place *place, const char *id_seed, struct error *err)
{
        CLEANUP(refs_clear) struct partition_refs refs = {.pa = fdisk_new_partition()};
        char purpose[32], uuid[UUID_TEXT];
        int r = set_type(ctx, &refs, label, part->type, err);

        if (r < 0)
                return r;
        fdisk_partition_set_partno(refs.pa, place->number - 1);
        fdisk_partition_set_start(refs.pa, place->start);
        fdisk_partition_set_size(refs.pa, place->size);
        fdisk_partition_size_explicit(refs.pa, 1);
        if (label == DISK_GPT) {
                snprintf(purpose, sizeof(purpose), "partition %u", place->number);
                seed_uuid(id_seed, purpose, uuid);
                fdisk_partition_set_uuid(refs.pa, uuid);
                if (!str_empty(part->name))
                        fdisk_partition_set_name(refs.pa, part->name);
        }
        str_clear(&ctx->messages);
        r = fdisk_add_partition(ctx->cxt, refs.pa, NULL);
        if (r < 0)
                return error_errno(err, -r, "add it to the table%s%s", ctx->messages.len ? ": " : "",
                                   str_get(&ctx->messages));
        return 0;
}

/* An empty table with its id. */
static int create_label(struct table_context *ctx, enum disk_label label, const char *id_seed, struct error *err)
{
        struct fdisk_script *script = fdisk_new_script(ctx->cxt);
        char id[UUID_TEXT];
        uint8_t raw[4];
        int r;

        if (!script)
                return error_set(err, ENOMEM, "out of memory");
        if (label == DISK_GPT) {
                seed_uuid(id_seed, "disk", id);
                /* The whole disk is for use, as sgdisk has it: boot loaders lie at sector 64. */
                fdisk_script_set_header(script, "first-lba", "34");
        } else {
                seed_bytes(id_seed, "disk", raw, sizeof(raw));
                raw[0] |= raw[1] == 0 && raw[2] == 0 && raw[3] == 0; /* 0 is "none" */
                snprintf(id, sizeof(id), "0x%08x", get_le32(raw));
        }
        fdisk_script_set_header(script, "label", label == DISK_GPT ? "gpt" : "dos");
        fdisk_script_set_header(script, "label-id", id);
        r = fdisk_apply_script_headers(ctx->cxt, script);
        fdisk_set_script(ctx->cxt, NULL); /* the two hold each other */
        fdisk_unref_script(script);
        if (r < 0)
                return error_errno(err, -r, "make an empty table%s%s", ctx->messages.len ? ": " : "",
                                   str_get(&ctx->messages));
        return 0;
}

int disk_table_create(const char *path, enum disk_label label, const struct disk_layout_partition *v, size_t n,
                      const char *id_seed, unsigned int *ret_numbers, struct error *err)
{
        CLEANUP_TABLE struct table_context ctx = {.fd = -1};
        CLEANUP_FREE struct table_place *places = xcalloc(n + 1, sizeof(*places));
        int r;

        if (label == DISK_NONE)
                return error_set(err, EINVAL, "a partition table is dos or gpt");
        r = table_open(&ctx, path, true, err);
        if (r == 0)
                r = table_layout(label, v, n, fdisk_get_nsectors(ctx.cxt), places, err);
        if (r == 0)
                r = create_label(&ctx, label, id_seed, err);
        for (size_t i = 0; i < n && r == 0; i++) {
                r = add_partition(&ctx, label, &v[i], &places[i], id_seed, err);
                if (r < 0) {
                        CLEANUP_FREE char *text = table_describe(&places[i], v[i].name);

                        error_wrap(err, r, "%s", text);
                }
        }
        if (r == 0)
                r = table_write(&ctx, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n && ret_numbers; i++)
                ret_numbers[i] = places[i].number;
        return 0;
}
