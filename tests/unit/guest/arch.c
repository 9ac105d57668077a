/* Architectures: of trees, of the host, and what binfmt_misc is told. */
#include "test.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>

#include "base/bytes.h"
#include "guest/arch.h"
#include "guest/binfmt.h"
#include "guest/guest.h"
#include "guesttest.h"

static void write_elf(const char *dir, const char *name, int machine, uint8_t class)
{
        CLEANUP_FREE char *path = path_join(dir, name), *folder = path_dir(path);
        uint8_t head[64] = {0x7f, 'E', 'L', 'F', class, ELFDATA2LSB, EV_CURRENT};

        put_le16(head + 16, ET_DYN);
        put_le16(head + 18, (uint16_t)machine);
        assert_int_equal(dir_make(folder, 0755, NULL), 0);
        assert_int_equal(file_write(path, head, sizeof(head), 0755, NULL), 0);
}

static void test_of_tree(void **state)
{
        char *dir = scratch_new();
        CLEANUP_FREE char *link = path_join(dir, "bin"), *sh = path_join(dir, "usr/bin/sh");
        CLEANUP_ERROR struct error err = {0};
        int machine = 0, bits = 0;

        (void)state;
        assert_int_equal(guest_architecture(dir, &machine, &bits, &err), -ENOENT);
        assert_non_null(strstr(err.message, "/bin/sh"));
        assert_non_null(strstr(err.message, "mountpoint"));
        write_elf(dir, "lib/ld-linux.so.3", EM_ARM, ELFCLASS32);
        assert_int_equal(guest_architecture(dir, &machine, &bits, &err), 0);
        assert_int_equal(machine, EM_ARM);
        /* An absolute symlink stays inside the tree, and the shell goes before the loader. */
        write_elf(dir, "usr/bin/dash", EM_AARCH64, ELFCLASS64);
        assert_int_equal(symlink("/usr/bin", link), 0);
        assert_int_equal(symlink("/bin/dash", sh), 0);
        assert_int_equal(guest_architecture(dir, &machine, &bits, &err), 0);
        assert_int_equal(machine, EM_AARCH64);
        assert_int_equal(bits, 64);
        scratch_free(NULL, dir);
}

static void test_unknown_machine(void **state)
{
        char *dir = scratch_new();
        CLEANUP_ERROR struct error err = {0};
        int machine, bits;

        (void)state;
        write_elf(dir, "bin/sh", 4711, ELFCLASS64);
        assert_int_equal(guest_architecture(dir, &machine, &bits, &err), -ENOTSUP);
        scratch_free(NULL, dir);
}

static void test_host(void **state)
{
        int machine, bits;

        (void)state;
        assert_int_equal(guest_architecture("/", &machine, &bits, NULL), 0);
        assert_true(arch_native(arch_by_elf(machine, bits, false)));
        assert_false(arch_native(arch_by_name("m68k")));
        assert_string_equal(guest_machine_name(EM_AARCH64, 64), "aarch64");
        assert_string_equal(guest_machine_name(EM_RISCV, 64), "riscv64");
        assert_string_equal(guest_machine_name(4711, 64), "unknown");
}

/* The distribution's own registrations are the judge: for every architecture that
 * both know, theirs must be served by ours. */
static void test_patterns_agree_with_qemu(void **state)
{
        static const char *const names[] = {"aarch64", "arm", "riscv64", "ppc64le", "s390x", "loongarch64", NULL};
        size_t seen = 0;

        (void)state;
        for (size_t i = 0; names[i]; i++) {
                CLEANUP_FREE char *path = xasprintf("/usr/lib/binfmt.d/qemu-%s.conf", names[i]);
                CLEANUP_FREE char *text = NULL;
                CLEANUP_STR struct str entry = {0};
                CLEANUP_STRV char **fields = NULL;

                if (file_read(path, 0, &text, NULL, NULL) < 0)
                        continue;
                seen++;
                fields = str_split(text, ":");
                str_addf(&entry, "enabled\ninterpreter x\nflags: %s", fields[7]);
                str_addf(&entry, "offset 0\nmagic ");
                for (const char *p = fields[4]; *p; p++) {
                        if (str_starts(p, "\\x")) {
                                str_addf(&entry, "%.2s", p + 2);
                                p += 3;
                        } else {
                                str_addf(&entry, "%02x", (unsigned char)*p);
                        }
                }
                str_addf(&entry, "\nmask ");
                for (const char *p = fields[5]; *p; p += 4)
                        str_addf(&entry, "%.2s", p + 2);
                str_addc(&entry, '\n');
                assert_true(binfmt_entry_serves(str_get(&entry), arch_by_name(names[i])));
                assert_false(binfmt_entry_serves(str_get(&entry), arch_by_name("m68k")));
        }
        if (seen == 0)
                skip();
}

static void test_entries_that_do_not_serve(void **state)
{
        static const char entry[] = "enabled\ninterpreter /q\nflags: %s\noffset 0\n"
                                    "magic 7f454c460201010000000000000000000200b700\n"
                                    "mask ffffffffffffff00fffffffffffffffffeffffff\n";
        CLEANUP_FREE char *good = str_replace(entry, "%s", "OCF"), *no_f = str_replace(entry, "%s", "OC");
        CLEANUP_FREE char *off = str_replace(good, "enabled", "disabled");

        (void)state;
        assert_true(binfmt_entry_serves(good, arch_by_name("aarch64")));
        assert_false(binfmt_entry_serves(no_f, arch_by_name("aarch64")));
        assert_false(binfmt_entry_serves(off, arch_by_name("aarch64")));
        assert_false(binfmt_entry_serves("enabled\n", arch_by_name("aarch64")));
}

static void test_qemu_must_be_static(void **state)
{
        const struct arch *arch = arch_by_name("m68k");
        CLEANUP_FREE char *found = arch_qemu(arch, "/bin/ls"); /* exists, and is no such thing */

        (void)state;
        if (found)
                assert_string_not_equal(found, "/bin/ls");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_of_tree),
                cmocka_unit_test(test_unknown_machine),
                cmocka_unit_test(test_host),
                cmocka_unit_test(test_patterns_agree_with_qemu),
                cmocka_unit_test(test_entries_that_do_not_serve),
                cmocka_unit_test(test_qemu_must_be_static),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
