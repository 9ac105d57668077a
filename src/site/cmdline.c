/* The kernel's command line: the profile's, and before it what the initial RAM
 * disk needs to find a root on the network. Sources: the scripts of
 * initramfs-tools 0.142, nbd-client 3.24 and open-iscsi 2.1.8 in Debian 12,
 * dracut.cmdline(7) with its modules nfs and nbd, live-boot(7). */
#include <string.h>

#include "base/str.h"
#include "site/render.h"

struct line {
        struct site_request *request;
        struct str text;
        uint32_t server; /* of the root */
};

static const char *server_text(struct line *line)
{
        return site_show_address(&line->request->arena, line->server);
}

/* initramfs-tools: the script of that name mounts the root. */
static void nfs_tools(struct line *line, const struct site_root *root)
{
        str_addf(&line->text, "boot=nfs root=/dev/nfs nfsroot=%s:%s,%s ip=dhcp", server_text(line), root->path,
                 root->options);
}

static void nbd_tools(struct line *line, const struct site_root *root)
{
        if (root->port)
                str_addf(&line->text, "root=/dev/nbd0 nbdroot=%s:%u/%s ip=dhcp", server_text(line), root->port,
                         root->export_name);
        else
                str_addf(&line->text, "root=/dev/nbd0 nbdroot=%s,%s,nbd0 ip=dhcp", server_text(line),
                         root->export_name);
}

static void nfs_dracut(struct line *line, const struct site_root *root)
{
        str_addf(&line->text, "root=nfs:%s:%s:%s ip=dhcp rd.neednet=1", server_text(line), root->path, root->options);
}

/* The second field is a port if it is a number, else the name of an export on
 * the usual port; the fifth are further options of nbd-client. */
static void nbd_dracut(struct line *line, const struct site_root *root)
{
        if (root->port)
                str_addf(&line->text, "root=nbd:%s:%u:auto::-name,%s", server_text(line), root->port,
                         root->export_name);
        else
                str_addf(&line->text, "root=nbd:%s:%s", server_text(line), root->export_name);
        str_add(&line->text, " ip=dhcp rd.neednet=1");
}

static const char *squashfs_url(struct line *line, const struct site_root *root)
{
        return strstr(root->path, "://") ? root->path
                                         : site_url(line->request, true, root->path + strspn(root->path, "/"));
}

/* A squashfs that is the root itself, with no image in it, is mounted by overlayfs alone. An initrd with systemd knows
 * that by itself. */
static void squashfs_dracut(struct line *line, const struct site_root *root)
{
        str_addf(&line->text, "root=live:%s rd.live.image rd.live.overlay.overlayfs=1 ip=dhcp rd.neednet=1",
                 squashfs_url(line, root));
}

static void squashfs_live(struct line *line, const struct site_root *root)
{
        str_addf(&line->text, "boot=live fetch=%s ip=dhcp", squashfs_url(line, root));
}

static void nfs_live(struct line *line, const struct site_root *root)
{
        str_addf(&line->text, "boot=live netboot=nfs nfsroot=%s:%s nfsopts=%s ip=dhcp", server_text(line), root->path,
                 root->options);
}

static const struct {
        enum site_root_kind kind;
        enum site_initramfs initramfs;
        void (*add)(struct line *line, const struct site_root *root);
        bool mode; /* ro or rw follows */
} forms[] = {
        {SITE_ROOT_NFS, SITE_INITRAMFS_TOOLS, nfs_tools, true},
        {SITE_ROOT_NFS, SITE_DRACUT, nfs_dracut, true},
        {SITE_ROOT_NFS, SITE_LIVE_BOOT, nfs_live, false},
        {SITE_ROOT_NBD, SITE_INITRAMFS_TOOLS, nbd_tools, true},
        {SITE_ROOT_NBD, SITE_DRACUT, nbd_dracut, true},
        {SITE_ROOT_SQUASHFS, SITE_LIVE_BOOT, squashfs_live, false},
        {SITE_ROOT_SQUASHFS, SITE_DRACUT, squashfs_dracut, false},
};

bool site_root_has_form(enum site_root_kind kind, enum site_initramfs initramfs)
{
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
                if (forms[i].kind == kind && forms[i].initramfs == initramfs)
                        return true;
        return false;
}

static void add_root(struct line *line, const struct site_profile *profile)
{
        const struct site_root *root = &profile->root;

        line->server = root->server ? root->server : line->request->server;
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
                if (forms[i].kind == root->kind && forms[i].initramfs == profile->initramfs) {
                        forms[i].add(line, root);
                        if (forms[i].mode)
                                str_add(&line->text, root->writable ? " rw" : " ro");
                        if (line->request->has_mac) /* of several interfaces, the one that it booted from */
                                str_addf(&line->text, " BOOTIF=01-%s",
                                         site_mac_dashed(&line->request->arena, line->request->mac));
                }
}

/* A kernel with a disk of iPXE's: it finds it by the firmware's table (iBFT, aBFT). */
static void add_san(struct line *line, enum site_initramfs initramfs, const char *san)
{
        if (str_starts(san, "iscsi:"))
                str_add(&line->text,
                        initramfs == SITE_DRACUT ? "rd.iscsi.firmware=1 rd.iscsi.ibft=1 ip=ibft" : "iscsi_auto");
}

static void line_clear(struct line *line)
{
        str_clear(&line->text);
}

int site_cmdline(struct site_request *request, const char **ret, struct error *err)
{
        CLEANUP(line_clear) struct line line = {.request = request};
        const struct site_profile *profile = request->profile;
        const char *own = "", *san = "";
        int r = site_eval_line(request, profile->cmdline, "the command line", &own, err);

        if (r == 0)
                r = site_eval_line(request, profile->san, "san", &san, err);
        if (r < 0)
                return r;
        add_root(&line, profile);
        add_san(&line, profile->initramfs, san);
        if (*own && line.text.len > 0)
                str_addc(&line.text, ' ');
        str_add(&line.text, own);
        *ret = arena_strdup(&request->arena, str_get(&line.text));
        return 0;
}
