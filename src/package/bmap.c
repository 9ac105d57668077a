/* The post-processor `bmap`: a block map file beside the image, version 2.0,
 * which bmaptool(1) copies and verifies by. Its form is documented in the
 * files that bmaptool writes itself, and in its BmapCreate.py. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/size.h"
#include "base/str.h"
#include "local/script.h"
#include "package/blockmap.h"
#include "package/pass.h"
#include "package/post.h"

struct bmap_config {
        char *output;
};

static int check(void *arg, const struct value *value, struct diags *diags)
{
        static const char *const fields[] = {"BuildName", "BuilderType", NULL};
        const struct bmap_config *config = arg;

        if (config->output)
                script_check_template(config->output, "output", fields, value, diags);
        return 0;
}

static void add_head(struct str *out, const struct blockmap *map)
{
        uint64_t percent10 = map->n_blocks ? map->n_mapped * 1000 / map->n_blocks : 0;

        str_addf(out,
                 "<?xml version=\"1.0\" ?>\n"
                 "<!-- The block map of a disk image: the blocks that must be written to a disk.\n"
                 "     What the disk holds in place of the others does not matter. -->\n\n"
                 "<bmap version=\"2.0\">\n"
                 "    <!-- Image size in bytes: %s -->\n"
                 "    <ImageSize> %llu </ImageSize>\n\n"
                 "    <!-- Size of a block in bytes -->\n"
                 "    <BlockSize> %d </BlockSize>\n\n"
                 "    <!-- Count of blocks in the image file -->\n"
                 "    <BlocksCount> %llu </BlocksCount>\n\n"
                 "    <!-- Count of mapped blocks: %s or %llu.%llu%% -->\n"
                 "    <MappedBlocksCount> %llu </MappedBlocksCount>\n\n"
                 "    <!-- Type of checksum used in this file -->\n"
                 "    <ChecksumType> sha256 </ChecksumType>\n\n"
                 "    <!-- The checksum of this bmap file. When it is calculated, the value of\n"
                 "         the checksum has to be zero (all ASCII \"0\" symbols). -->\n"
                 "    <BmapFileChecksum> ",
                 size_show(map->size), (unsigned long long)map->size, BLOCKMAP_BLOCK, (unsigned long long)map->n_blocks,
                 size_show(blockmap_bytes(map)), (unsigned long long)percent10 / 10, (unsigned long long)percent10 % 10,
                 (unsigned long long)map->n_mapped);
}

/* The file's text, its own checksum put in where the zeros stood. */
static int bmap_text(const struct blockmap *map, char **ret, size_t *ret_len, struct error *err)
{
        CLEANUP_STR struct str out = {0};
        struct digest *digest = digest_new("sha256");
        char hex[DIGEST_HEX_MAX];
        size_t at;

        if (!digest)
                return error_set(err, ENOTSUP, "this host's OpenSSL has no SHA-256");
        add_head(&out, map);
        at = out.len;
        for (int i = 0; i < SHA256_HEX - 1; i++)
                str_addc(&out, '0');
        str_add(&out, " </BmapFileChecksum>\n\n    <BlockMap>\n");
        for (size_t i = 0; i < map->ranges.n; i++) {
                const struct blockmap_range *range = &map->ranges.v[i];

                str_addf(&out, "        <Range chksum=\"%s\"> %llu", range->sha256, (unsigned long long)range->first);
                if (range->last > range->first)
                        str_addf(&out, "-%llu", (unsigned long long)range->last);
                str_add(&out, " </Range>\n");
        }
        str_add(&out, "    </BlockMap>\n</bmap>\n");
        digest_update(digest, out.s, out.len);
        digest_final(digest, hex);
        digest_free(digest);
        memcpy(out.s + at, hex, SHA256_HEX - 1);
        *ret_len = out.len;
        *ret = str_steal(&out);
        return 0;
}

static int write_bmap(const struct blockmap *map, const char *output, struct ui *ui, struct error *err)
{
        CLEANUP_FILE_DROP int out = -1;
        CLEANUP_FREE char *text = NULL;
        size_t n = 0;
        int r = bmap_text(map, &text, &n, err);

        if (r == 0)
                r = output_create(output, &out, err);
        if (r < 0)
                return r;
        r = fd_write_all(out, text, n);
        if (r < 0)
                return error_errno(err, -r, "write '%s'", output);
        r = output_publish(out, output, err);
        if (r == 0 && ui)
                ui_say(ui, "%s: %s of %s are mapped", output, size_show(blockmap_bytes(map)), size_show(map->size));
        return r;
}

/* ---- the bytes ---- */

static int reader_begin(const void *config, const struct package_context *context, int fd, uint64_t size, void **ret,
                        struct error *err)
{
        (void)config;
        (void)context;
        return blockmap_begin(fd, size, NULL, (struct blockmap_maker **)ret, err);
}

static void reader_free(void *reader)
{
        blockmap_free(reader);
}

static const struct reader_type bmap_reader = {
        .name = "block map",
        .begin = reader_begin,
        .pieces = {.data = blockmap_data, .hole = blockmap_hole},
        .free = reader_free,
};

static int run(const void *arg, const struct package_context *context, const struct artifact *in, struct artifact *ret,
               bool *ret_keep, struct error *err)
{
        const struct bmap_config *config = arg;
        CLEANUP(blockmap_freep) struct blockmap_maker *maker = NULL;
        CLEANUP(blockmap_clear) struct blockmap map = {0};
        CLEANUP_FREE char *output = NULL;
        const char *image = NULL;
        int r = input_image(in, &image, err);

        if (r < 0)
                return r;
        if (config->output)
                r = post_render(context, config->output, NULL, &output, err);
        else
                output = xasprintf("%s.bmap", image);
        if (r < 0)
                return error_wrap(err, r, "key 'output'");
        r = output_not_input(output, in, err);
        if (r == 0)
                r = pass_read(context, &bmap_reader, config, image, (void **)&maker, err);
        if (r == 0) {
                blockmap_finish(maker, &map);
                r = write_bmap(&map, output, context->ui, err);
        }
        if (r < 0)
                return error_wrap(err, r, "block map of '%s'", image);
        artifact_copy(in, ret);
        if (!strv_has(STRV(ret->files), output))
                strv_add(&ret->files, output);
        *ret_keep = true;
        return 0;
}

static const struct schema_key keys[] = {
        {"output", SCHEMA_STRING, SCHEMA_LATE, offsetof(struct bmap_config, output),
         .help = "name of the block map (default: the image's name and .bmap)"},
};

static const struct schema schema = {
        .name = "the bmap post-processor",
        .size = sizeof(struct bmap_config),
        .keys = keys,
        .n_keys = sizeof(keys) / sizeof(*keys),
};

const struct post_processor_type bmap_post_processor = {
        .name = "bmap",
        .schema = &schema,
        .reader = &bmap_reader,
        .gives_on = true,
        .check = check,
        .run = run,
};
