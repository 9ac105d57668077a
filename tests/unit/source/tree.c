/* Root file systems from archives. As an ordinary user, the program starts
 * itself again as root of a user namespace, as a build does. */
#include "helper.h"

#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

static int unpack(const char *archive, struct source_nodes *nodes, struct error *err)
{
        sh("rm -rf out; mkdir out");
        return source_unpack_tree(archive, "out", nodes, NULL, err);
}

static void assert_unpacks(const char *archive)
{
        CLEANUP(source_nodes_clear) struct source_nodes nodes = {0};
        CLEANUP_ERROR struct error err = {0};

        if (unpack(archive, &nodes, &err) < 0)
                fail_msg("%s: %s", archive, error_message(&err));
}

static void assert_refused(const char *archive, const char *member, const char *part)
{
        CLEANUP(source_nodes_clear) struct source_nodes nodes = {0};
        CLEANUP_ERROR struct error err = {0};

        if (unpack(archive, &nodes, &err) == 0)
                fail_msg("%s unpacks", archive);
        assert_contains(error_message(&err), archive);
        assert_contains(error_message(&err), member);
        assert_contains(error_message(&err), part);
        assert_int_equal(nodes.n, 0);
        sh("test ! -e outside/written; test ! -e written; test ! -e /tmp/slipway-written; test \"$(cat outside/file)\" "
           "= kept");
}

static int setup(void **state)
{
        int r = scratch_setup(state);

        if (r < 0)
                return r;
        sh("umask 022; mkdir -p tree/a/b tree/bin tree/tmp outside; echo kept > outside/file\n"
           "echo text > tree/a/file; chown 123:456 tree/a/file; chmod 640 tree/a/file; ln tree/a/file tree/a/b/hard\n"
           "ln -s ../a/file tree/bin/link; ln -s /etc/passwd tree/bin/absolute; chown -h 7:8 tree/bin/link\n"
           "cp /bin/true tree/bin/su; chmod 4755 tree/bin/su; chmod 1777 tree/tmp; mkfifo tree/a/fifo\n"
           "truncate -s 20M tree/a/sparse; echo end >> tree/a/sparse; printf 'bytes' > \"tree/a/n\\303\\244me\"\n"
           "printf x > \"tree/a/$(printf 'p%.0s' $(seq 200))\"; chmod 2750 tree/a/b; mkdir tree/locked; echo x > "
           "tree/locked/x\n"
           "setfattr -n user.colour -v blue tree/a/file; setcap cap_net_raw+ep tree/bin/su\n"
           "setfacl -m u:77:rw,g:88:r tree/a/file; setfacl -d -m u:99:rwx tree/a/b\n"
           "find tree -exec touch -h -d '2021-02-03 04:05:06' {} +; chmod 000 tree/locked");
        return 0;
}

/* Compared by the tools that know each thing. */
static void assert_same_tree(void)
{
        sh("list() { (cd $1; find . ! -type p -printf '%p %y %m %U:%G %T@ %l %n\\n' | sort; find . -type f -print0 | "
           "sort -z | "
           "xargs -0 sha256sum; getfacl -Rn . ; getfattr -R -d -m '^user|^security.capability' -e hex .; getcap -r . ) "
           "2>&1; }\n"
           "list tree > 1; list out > 2; diff 1 2; test -p out/a/fifo; test $(stat -c %b out/a/sparse) -lt 1000");
}

static void test_everything_is_kept(void **state)
{
        (void)state;
        sh("tar --acls --xattrs --xattrs-include='*' --format=pax -C tree -cf a.tar . ; xz -0 -k a.tar; zstd -q a.tar");
        assert_unpacks("a.tar");
        assert_same_tree();
        assert_unpacks("a.tar.xz");
        assert_same_tree();
        assert_unpacks("a.tar.zst");
        assert_same_tree();
        sh("tar --acls --xattrs --xattrs-include='*' --format=pax -S -C tree -czf sparse.tgz .");
        assert_unpacks("sparse.tgz");
        assert_same_tree();
}

/* What the other formats can say. */
static void test_other_formats(void **state)
{
        (void)state;
        sh("(cd tree; find . | bsdcpio -o -H newc > ../a.cpio 2>/dev/null; zip -q -y -r ../a.zip a bin/link tmp -x "
           "a/fifo; 7z a -bd "
           "../a.7z a/file a/b >/dev/null; tar --format=v7 -cf ../v7.tar bin; bsdtar -cf ../gnu.tar --format=gnutar "
           "a)");
        assert_unpacks("a.cpio");
        sh("test $(stat -c %h out/a/file) = 2; cmp tree/a/file out/a/b/hard; test $(stat -c %a out/bin/su) = 4755");
        assert_unpacks("a.zip");
        sh("cmp tree/a/file out/a/file; test \"$(readlink out/bin/link)\" = ../a/file; test $(stat -c %a out/tmp) = "
           "1777");
        assert_unpacks("a.7z");
        sh("cmp tree/a/file out/a/file");
        assert_unpacks("v7.tar");
        sh("cmp tree/bin/su out/bin/su");
        assert_unpacks("gnu.tar");
        sh("cmp tree/a/p* out/a/p*");
}

static void python(const char *body)
{
        CLEANUP_FREE char *script =
                xasprintf("cat > make.py <<'E'\n"
                          "import tarfile, io\n"
                          "t = tarfile.open('evil.tar', 'w')\n"
                          "def add(name, data=b'x', **more):\n"
                          "    i = tarfile.TarInfo(name)\n"
                          "    i.size = len(data)\n"
                          "    for k, v in more.items(): setattr(i, k, v)\n"
                          "    t.addfile(i, io.BytesIO(data))\n"
                          "def link(name, to, kind=tarfile.SYMTYPE): add(name, b'', type=kind, linkname=to)\n"
                          "HARD, DIR, CHR, BLK = tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE\n"
                          "FIFO = tarfile.FIFOTYPE\n"
                          "%s\nt.close()\nE\npython3 make.py",
                          body);

        sh(script);
}

static void test_device_nodes(void **state)
{
        CLEANUP(source_nodes_clear) struct source_nodes nodes = {0};

        (void)state;
        python("add('./dev/null', b'', type=CHR, devmajor=1, devminor=3, mode=0o666, mtime=1600000000)\n"
               "add('dev/sda', b'', type=BLK, devmajor=8, devminor=300, mode=0o660, uid=0, gid=6)\n"
               "link('dev/same', 'dev/sda', HARD)\nadd('dev/gone', b'', type=CHR, devmajor=1, devminor=5)\n"
               "add('dev/gone', b'now a file')");
        assert_int_equal(unpack("evil.tar", &nodes, NULL), 0);
        assert_int_equal(nodes.n, 3);
        assert_string_equal(nodes.v[0].path, "dev/null");
        assert_int_equal(nodes.v[0].mode, S_IFCHR | 0666);
        assert_int_equal(nodes.v[0].major, 1);
        assert_int_equal(nodes.v[0].mtime_sec, 1600000000);
        assert_string_equal(nodes.v[2].path, "dev/sda");
        assert_int_equal(nodes.v[2].mode, S_IFBLK | 0660);
        assert_int_equal(nodes.v[2].minor, 300);
        assert_int_equal(nodes.v[2].gid, 6);
        assert_string_equal(nodes.v[1].path, "dev/same");
        sh("test ! -e out/dev/null; test -f out/dev/gone");
}

/* What is recorded follows what becomes of its name, as what is made does. */
static void test_replaced_nodes(void **state)
{
        CLEANUP(source_nodes_clear) struct source_nodes nodes = {0};

        (void)state;
        python("def node(name, minor): add(name, b'', type=CHR, devmajor=1, devminor=minor)\n"
               "add('dev', b'', type=DIR)\nnode('dev/null', 3)\nnode('dev/pts/0', 4)\nnode('dev/zero', 5)\n"
               "node('devices', 6)\nnode('de', 6)\nnode('old/file/x', 7)\nnode('node', 8)\n"
               "link('dev', 'elsewhere')\n" /* 'dev/pts' is in it: refused */
               "add('never', b'')");
        assert_int_not_equal(unpack("evil.tar", &nodes, NULL), 0);
        python("def node(name, minor): add(name, b'', type=CHR, devmajor=1, devminor=minor)\n"
               "add('dev', b'', type=DIR)\nnode('dev/null', 3)\nnode('dev/zero', 5)\n"
               "node('devices', 6)\nnode('de', 6)\nlink('dev', 'elsewhere')\n"
               "node('node', 8)\nadd('node/file')\n"          /* a folder after all */
               "add('file')\nlink('file', 'devices', HARD)\n" /* a node after all */
               "node('twice', 1)\nnode('twice', 2)");
        assert_int_equal(unpack("evil.tar", &nodes, NULL), 0);
        assert_int_equal(nodes.n, 4);
        assert_string_equal(nodes.v[0].path, "de");
        assert_string_equal(nodes.v[1].path, "devices");
        assert_string_equal(nodes.v[2].path, "file");
        assert_int_equal(nodes.v[2].minor, 6);
        assert_string_equal(nodes.v[3].path, "twice");
        assert_int_equal(nodes.v[3].minor, 2);
        sh("test -L out/dev; test -f out/node/file; test ! -e out/file");
}

/* As many as there may be, each looked for among all: that is no matter of minutes, and one more is refused. */
static void test_many_nodes(void **state)
{
        CLEANUP(source_nodes_clear) struct source_nodes nodes = {0};
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        python("for i in range(65536): add('dev/n%d' % i, b'', type=CHR, devmajor=1, devminor=3)\n"
               "for i in range(1000): link('dev/n%d' % i, 'dev/n%d' % (65535 - i), HARD)");
        assert_int_equal(unpack("evil.tar", &nodes, &err), 0);
        assert_int_equal(nodes.n, 65536);
        source_nodes_clear(&nodes);
        python("for i in range(65537): add('dev/n%d' % i, b'', type=CHR, devmajor=1, devminor=3)");
        assert_int_equal(unpack("evil.tar", &nodes, &err), -E2BIG);
}

static void test_replaced_members(void **state)
{
        (void)state;
        python("add('f', b'old')\nadd('f', b'new')\nadd('x', b'', type=DIR)\nlink('x', 'elsewhere')\n"
               "link('y', '/etc/passwd')\nadd('y', b'a file')\nadd('d', b'', type=DIR, mode=0o700)\nadd('d/in')\n"
               "add('d', b'', type=DIR, mode=0o755)\nadd('no/parent/here')");
        assert_unpacks("evil.tar");
        sh("test \"$(cat out/f)\" = new; test -L out/x; test ! -L out/y; test \"$(cat out/y)\" = 'a file'\n"
           "test $(stat -c %a out/d) = 755; test -f out/d/in; test -f out/no/parent/here");
}

/* Symlinks that stay inside may be passed through. */
static void test_links_inside(void **state)
{
        (void)state;
        python("add('usr/bin', b'', type=DIR)\nlink('bin', 'usr/bin')\nadd('bin/tool', b'tool')\n"
               "link('deep/up', '../usr')\nadd('deep/up/bin/more', b'more')");
        assert_unpacks("evil.tar");
        sh("test -L out/bin; test -f out/usr/bin/tool; test -f out/usr/bin/more");
}

static void test_ways_out(void **state)
{
        static const struct {
                const char *body, *member, *part;
        } rows[] = {
                {"add('../written')", "../written", "'..'"},
                {"add('a/../../written')", "a/../../", "'..'"},
                {"add('/tmp/slipway-written')", "/tmp/slipway", "absolute"},
                {"link('l', '../outside')\nadd('l/written')", "l/written", "points out"},
                {"link('l', '/tmp')\nadd('l/slipway-written')", "l/slipway", "points out"},
                {"link('a/l', '..')\nlink('m', 'a/l/..')\nadd('m/written')", "m/written", "points out"},
                {"link('l', 'l')\nadd('l/x')", "l/x", "points out"},
                {"link('h', '../outside/file', HARD)", "'h'", "'..'"},
                {"link('h', '/etc/passwd', HARD)", "'h'", "absolute"},
                {"link('l', '../outside')\nlink('h', 'l/file', HARD)\nadd('h', b'gone')", "'h'", "points out"},
                {"link('h', 'nothing', HARD)", "'h'", "No such file"},
                {"add('d', b'', type=DIR)\nadd('d/x')\nadd('d', b'no folder')", "'d'", "replace"},
                {"add('p', b'', type=FIFO)\nadd('h\\u00e4', b'data', type=HARD, linkname='p')", "'h", "is no file"},
                {"link('d', '../outside')\nadd('d', b'', type=DIR)\nadd('d/x')\nadd('../outside/written')",
                 "outside/written", "'..'"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                python(rows[i].body);
                assert_refused("evil.tar", rows[i].member, rows[i].part);
        }
        /* a link to a link that points out is not written through */
        python("link('l', '../outside/file')\nlink('h', 'l', HARD)\nadd('h', b'inside')");
        assert_unpacks("evil.tar");
        sh("test \"$(cat outside/file)\" = kept; test \"$(cat out/h)\" = inside");
}

static void test_damaged(void **state)
{
        (void)state;
        sh("head -c 500000 /dev/urandom > noise; tar czf whole.tgz noise; tar cf whole.tar noise\n"
           "head -c 300000 whole.tgz > short.tgz; head -c 300000 whole.tar > short.tar; : > empty.tar\n"
           "cp whole.tgz crc.tgz; dd if=/dev/zero of=crc.tgz bs=1 count=8 seek=$(($(stat -c %s crc.tgz) - 8)) "
           "conv=notrunc "
           "status=none\n"
           "echo text > text; truncate -s 1M disk; printf 'label: dos\\nstart=100\\n' | /sbin/sfdisk -q disk");
        assert_refused("short.tgz", "noise", "truncated or damaged");
        assert_refused("short.tar", "noise", "truncated or damaged");
        assert_refused("crc.tgz", "", "truncated or damaged");
        assert_refused("empty.tar", "", "it is empty");
        assert_refused("text", "", "none of them");
        assert_refused("disk", "", "a disk image");
        assert_refused("missing", "", "No such file");
}

/* Start again as root of a user namespace that has many ids. */
static int become_root(char **argv)
{
        if (geteuid() == 0)
                return 0;
        if (!has_program("newuidmap") || getenv("TREE_INSIDE"))
                return 77;
        setenv("TREE_INSIDE", "1", 1);
        execlp("unshare", "unshare", "-Urm", "--map-auto", argv[0], (char *)NULL);
        return 77;
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_everything_is_kept),
                cmocka_unit_test(test_other_formats),
                cmocka_unit_test(test_device_nodes),
                cmocka_unit_test(test_replaced_nodes),
                cmocka_unit_test(test_many_nodes),
                cmocka_unit_test(test_replaced_members),
                cmocka_unit_test(test_links_inside),
                cmocka_unit_test(test_ways_out),
                cmocka_unit_test(test_damaged),
        };
        int r = become_root(argv);

        (void)argc;
        if (r)
                return r;
        return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
