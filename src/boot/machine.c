/* The machines of QEMU that we start images in, one row for each, and the
 * command line made from a row. See qemu-system(1) and
 * https://www.qemu.org/docs/master/system/target-arm.html */
#include "boot/boot.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/size.h"
#include "base/str.h"

struct machine {
        const char *name; /* as -machine has it */
        enum boot_arch arch;
        const char *program, *package; /* Debian's */
        const char *type, *cpu;        /* QEMU's -M and -cpu; cpu NULL: the board's */
        const char *console;           /* of the kernel */
        const char *root;              /* the disk's node */
        const char *disk, *net;        /* QEMU devices; disk NULL: an SD card */
        long memory_mib, cpus;         /* defaults */
        bool fixed;                    /* the board has its own memory and processors */
        bool second_serial;            /* the console is the second serial port */
        bool needs_dtb;
        const char *firmware[3]; /* UEFI, any of them */
        const char *firmware_package;
};

#define VIRTIO                                                                                                         \
        .root = "/dev/vda", .disk = "virtio-blk-pci", .net = "virtio-net-pci,romfile=", .memory_mib = 1024, .cpus = 2

static const struct machine machines[] = {
        {.name = "virt",
         .arch = BOOT_ARM64,
         .program = "qemu-system-aarch64",
         .package = "qemu-system-arm",
         .type = "virt",
         .cpu = "cortex-a72",
         .console = "ttyAMA0",
         VIRTIO,
         .firmware = {"/usr/share/qemu-efi-aarch64/QEMU_EFI.fd", "/usr/share/AAVMF/AAVMF_CODE.fd"},
         .firmware_package = "qemu-efi-aarch64"},
        {.name = "virt",
         .arch = BOOT_ARMHF,
         .program = "qemu-system-arm",
         .package = "qemu-system-arm",
         .type = "virt",
         .cpu = "cortex-a15",
         .console = "ttyAMA0",
         VIRTIO,
         .firmware = {"/usr/share/AAVMF/AAVMF32_CODE.fd"},
         .firmware_package = "qemu-efi-arm"},
        {.name = "pc",
         .arch = BOOT_X86,
         .program = "qemu-system-x86_64",
         .package = "qemu-system-x86",
         .type = "q35",
         .cpu = "max",
         .console = "ttyS0",
         VIRTIO,
         .firmware = {"/usr/share/ovmf/OVMF.fd", "/usr/share/qemu/OVMF.fd"},
         .firmware_package = "ovmf"},
        /* The kernel gives the first UART to Bluetooth: its console is the second. */
        {.name = "raspi3b",
         .arch = BOOT_ARM64,
         .program = "qemu-system-aarch64",
         .package = "qemu-system-arm",
         .type = "raspi3b",
         .console = "ttyS1,115200",
         .root = "/dev/mmcblk0",
         .net = "usb-net",
         .fixed = true,
         .second_serial = true,
         .needs_dtb = true},
};

const char *const boot_firmware_names[] = {"auto", "none", "bios", "uefi", NULL};
const char *const boot_machine_names[] = {"auto", "virt", "pc", "raspi3b", NULL};

static int choose(const struct boot_system *system, const char *name, const struct machine **ret, struct error *err)
{
        bool any = !name || strcmp(name, "auto") == 0;

        if (system->arch == BOOT_UNKNOWN)
                return error_set(err, ENOENT,
                                 "'%s': no kernel and no system was found in its partitions, so the architecture is "
                                 "not known; is it a disk image? 'slipway image info %s' shows what is in it",
                                 system->image, system->image);
        for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++)
                if (machines[i].arch == system->arch && (any || strcmp(machines[i].name, name) == 0)) {
                        *ret = &machines[i];
                        return 0;
                }
        return error_set(err, EINVAL, "the machine '%s' does not run %s, which is what '%s' holds", name,
                         boot_arch_name(system->arch), system->image);
}

/* --- the parts of the command line --- */

struct line {
        const struct machine *machine;
        struct boot_system *system;
        const struct boot_options *options;
        const char *disk;                  /* file name of the disk */
        const char *kernel, *initrd, *dtb; /* file names, or NULL */
        char **argv;
};

/* QEMU reads "," in a value as ",,". */
static char *escape(const char *file)
{
        return str_replace(file, ",", ",,");
}

/* A disk's node of such a name has a "p" before the number of a partition. */
static bool ends_in_digit(const char *name)
{
        return isdigit((unsigned char)name[strlen(name) - 1]);
}

static char *kernel_words(const struct line *line)
{
        const struct boot_system *system = line->system;
        CLEANUP_STR struct str words = {0};

        if (system->root && system->table->label == DISK_NONE)
                str_addf(&words, "root=%s ", line->machine->root);
        else if (system->root)
                str_addf(&words, "root=%s%s%u ", line->machine->root, ends_in_digit(line->machine->root) ? "p" : "",
                         system->root->number);
        str_addf(&words, "rw rootwait console=%s panic=-1", line->machine->console);
        if (line->options->append)
                str_addf(&words, " %s", line->options->append);
        return str_steal(&words);
}

static void add_machine(struct line *line)
{
        const struct machine *machine = line->machine;
        const struct boot_options *options = line->options;
        const char *cpu = options->cpu ? options->cpu : machine->cpu;

        strv_add(&line->argv, machine->program);
        strv_add(&line->argv, "-M");
        strv_add(&line->argv, machine->type);
        if (cpu) {
                strv_add(&line->argv, "-cpu");
                strv_add(&line->argv, cpu);
        }
        if (!machine->fixed) {
                strv_add(&line->argv, "-m");
                strv_addf(&line->argv, "%ld", options->memory_mib ? options->memory_mib : machine->memory_mib);
                strv_add(&line->argv, "-smp");
                strv_addf(&line->argv, "%ld", options->cpus ? options->cpus : machine->cpus);
        }
        strv_add(&line->argv, "-no-reboot");
        strv_add(&line->argv, "-nodefaults");
        strv_add(&line->argv, "-display");
        strv_add(&line->argv, "none");
}

/* A person gets QEMU's monitor behind Ctrl-A; a watched console is only read. */
static void add_console(struct line *line)
{
        if (line->machine->second_serial) {
                strv_add(&line->argv, "-serial");
                strv_add(&line->argv, "null");
        }
        strv_add(&line->argv, "-serial");
        strv_add(&line->argv, line->options->watched ? "stdio" : "mon:stdio");
}

static void add_disk(struct line *line)
{
        CLEANUP_FREE char *file = escape(line->disk);
        const char *snapshot = line->options->persist ? "" : ",snapshot=on";

        strv_add(&line->argv, "-drive");
        if (!line->machine->disk) {
                strv_addf(&line->argv, "if=sd,format=raw,file=%s%s", file, snapshot);
                return;
        }
        strv_addf(&line->argv, "if=none,id=disk0,format=raw,file=%s%s", file, snapshot);
        strv_add(&line->argv, "-device");
        strv_addf(&line->argv, "%s,drive=disk0", line->machine->disk);
}

static void add_net(struct line *line)
{
        strv_add(&line->argv, "-netdev");
        if (line->options->ssh_port)
                strv_addf(&line->argv, "user,id=net0,hostfwd=tcp:127.0.0.1:%ld-:22", line->options->ssh_port);
        else
                strv_add(&line->argv, "user,id=net0");
        strv_add(&line->argv, "-device");
        strv_addf(&line->argv, "%s,netdev=net0", line->machine->net);
        if (line->machine->disk) {
                strv_add(&line->argv, "-device");
                strv_add(&line->argv, "virtio-rng-pci");
        }
}

static int add_firmware(struct line *line, struct error *err)
{
        const char *found = NULL;

        for (size_t i = 0; i < 3 && line->machine->firmware[i] && !found; i++)
                if (path_exists(line->machine->firmware[i]))
                        found = line->machine->firmware[i];
        if (!found)
                return error_set(err, ENOENT, "UEFI firmware for %s is not installed: apt-get install %s",
                                 boot_arch_name(line->machine->arch), line->machine->firmware_package);
        strv_add(&line->argv, "-bios");
        strv_add(&line->argv, found);
        return 0;
}

static void add_kernel(struct line *line)
{
        strv_add(&line->argv, "-kernel");
        strv_add(&line->argv, line->kernel);
        if (line->initrd) {
                strv_add(&line->argv, "-initrd");
                strv_add(&line->argv, line->initrd);
        }
        if (line->machine->needs_dtb) {
                strv_add(&line->argv, "-dtb");
                strv_add(&line->argv, line->dtb);
        }
        strv_add(&line->argv, "-append");
        strv_take(&line->argv, kernel_words(line));
}

/* Who starts the kernel, where the user leaves it open. A PC's disk starts by
 * itself, unless there are words for the kernel's command line. */
static enum boot_firmware firmware_for(const struct boot_system *system, const struct machine *machine,
                                       const struct boot_options *options)
{
        bool pc = machine->arch == BOOT_X86;

        if (options->firmware != BOOT_FIRMWARE_AUTO)
                return options->firmware;
        if (system->kernel.path && (!pc || options->append))
                return BOOT_FIRMWARE_NONE;
        if (pc && system->boot_code)
                return BOOT_FIRMWARE_BIOS;
        return system->efi && machine->firmware[0] ? BOOT_FIRMWARE_UEFI : BOOT_FIRMWARE_NONE;
}

static int check(const struct line *line, enum boot_firmware firmware, struct error *err)
{
        const struct boot_system *system = line->system;
        const struct machine *machine = line->machine;

        if (firmware == BOOT_FIRMWARE_NONE && !system->kernel.path)
                return error_set(err, ENOENT,
                                 "'%s': no kernel was found: no vmlinuz, Image, zImage or kernel*.img in / or /boot "
                                 "of a file system that can be read, and no boot loader that firmware could start",
                                 system->image);
        if (firmware == BOOT_FIRMWARE_BIOS && machine->arch != BOOT_X86)
                return error_set(err, EINVAL, "the machine %s has no BIOS: -firmware=uefi or none", machine->name);
        if (firmware == BOOT_FIRMWARE_UEFI && !machine->firmware[0])
                return error_set(err, EINVAL, "the machine %s has no UEFI firmware in QEMU: -firmware=none",
                                 machine->name);
        if (firmware != BOOT_FIRMWARE_NONE && line->options->append)
                return error_set(err, EINVAL,
                                 "-append gives words to a kernel that QEMU starts; with -firmware=%s the image's boot "
                                 "loader starts it",
                                 boot_firmware_names[firmware]);
        if (machine->needs_dtb && !system->dtb.path)
                return error_set(err, ENOENT,
                                 "'%s': the machine %s needs the device tree bcm2837-rpi-3-b.dtb in a boot partition",
                                 system->image, machine->name);
        return 0;
}

static int add_all(struct line *line, struct error *err)
{
        enum boot_firmware firmware = firmware_for(line->system, line->machine, line->options);
        int r = check(line, firmware, err);

        if (r < 0)
                return r;
        add_machine(line);
        add_console(line);
        add_disk(line);
        add_net(line);
        if (firmware == BOOT_FIRMWARE_NONE)
                add_kernel(line);
        return firmware == BOOT_FIRMWARE_UEFI ? add_firmware(line, err) : 0;
}

/* --- SD cards --- */

static uint64_t card_size(uint64_t bytes)
{
        uint64_t size = 1 << 20;

        while (size < bytes)
                size *= 2;
        return size;
}

/* QEMU takes an SD card only if its size is a power of two: a larger sparse copy, which has no name. */
static int copy_to_card(const struct boot_system *system, uint64_t size, int *ret, struct error *err)
{
        CLEANUP_CLOSE int from = open(system->image, O_RDONLY | O_CLOEXEC), to = -1;
        const char *tmp = getenv("TMPDIR");
        int r;

        if (from < 0)
                return error_errno(err, errno, "open the image '%s'", system->image);
        r = file_scratch(tmp && *tmp ? tmp : "/var/tmp", 0600, &to, err);
        if (r == 0)
                r = fd_copy_sparse(from, to, 0, system->table->disk_bytes, err);
        if (r == 0 && ftruncate(to, (off_t)size) < 0)
                r = error_errno(err, errno, "grow the copy");
        if (r < 0)
                return error_wrap(err, r, "copy '%s' to an SD card of %s", system->image, size_show(size));
        *ret = steal_fd(&to);
        return 0;
}

static int prepare_card(const struct boot_system *system, const struct boot_options *options, int *ret,
                        struct error *err)
{
        uint64_t size = card_size(system->table->disk_bytes);

        if (size == system->table->disk_bytes)
                return 0;
        if (options->persist)
                return error_set(err, EINVAL,
                                 "'%s' has %s, and this machine takes only SD cards of a power of two: without "
                                 "-persist a larger copy is used; or build the image with image_size %s",
                                 system->image, size_show(system->table->disk_bytes), size_show(size));
        return copy_to_card(system, size, ret, err);
}

/* --- public --- */

static char *fd_path(int fd)
{
        return xasprintf("/proc/self/fd/%d", fd);
}

int boot_command(struct boot_system *system, const struct boot_options *options, char ***ret_argv, int *ret_disk_fd,
                 struct error *err)
{
        CLEANUP_FREE char *kernel = fd_path(system->kernel.fd), *initrd = fd_path(system->initrd.fd);
        CLEANUP_FREE char *dtb = fd_path(system->dtb.fd), *disk = NULL;
        struct line line = {.system = system,
                            .options = options,
                            .kernel = kernel,
                            .initrd = system->initrd.path ? initrd : NULL,
                            .dtb = dtb,
                            .disk = system->image};
        CLEANUP_CLOSE int disk_fd = -1;
        CLEANUP_STRV char **argv = NULL;
        int r = choose(system, options->machine, &line.machine, err);

        if (r == 0 && !line.machine->disk)
                r = prepare_card(system, options, &disk_fd, err);
        if (r < 0)
                return r;
        if (disk_fd >= 0)
                disk = fd_path(disk_fd);
        if (disk)
                line.disk = disk;
        r = add_all(&line, err);
        argv = line.argv;
        if (r < 0)
                return r;
        CLEANUP_FREE char *program = program_find(line.machine->program);
        if (!program)
                return error_set(err, ENOENT, "'%s' is not installed: apt-get install %s", line.machine->program,
                                 line.machine->package);
        *ret_argv = steal(&argv);
        *ret_disk_fd = steal_fd(&disk_fd);
        return 0;
}

/* The root's files by their own path; those of another partition by where fstab mounts it, else by mtools. */
static void script_take(struct str *script, const struct boot_system *system, const struct boot_file *file,
                        const char *name)
{
        CLEANUP_FREE char *path = xasprintf("%s%s", file->mountpoint ? file->mountpoint : "", file->path);
        CLEANUP_FREE char *image_word = str_shell_quote(system->image), *path_word = str_shell_quote(path);

        if (file->mountpoint)
                str_addf(script, "slipway image cat %s %s >%s\n", image_word, path_word, name);
        else
                str_addf(script, "mcopy -n -i %s@@%llu ::%s %s\n", image_word, (unsigned long long)file->start_bytes,
                         path_word, name);
}

int boot_script(struct boot_system *system, const struct boot_options *options, char **ret, struct error *err)
{
        struct line line = {.system = system,
                            .options = options,
                            .disk = system->image,
                            .kernel = "kernel",
                            .initrd = system->initrd.path ? "initrd" : NULL,
                            .dtb = "board.dtb"};
        CLEANUP_STR struct str script = {0};
        CLEANUP_STRV char **argv = NULL;
        int r = choose(system, options->machine, &line.machine, err);

        if (r == 0)
                r = add_all(&line, err);
        argv = line.argv;
        if (r < 0)
                return r;
        if (strv_has(STRV(argv), "-kernel"))
                script_take(&script, system, &system->kernel, "kernel");
        if (strv_has(STRV(argv), "-initrd"))
                script_take(&script, system, &system->initrd, "initrd");
        if (strv_has(STRV(argv), "-dtb"))
                script_take(&script, system, &system->dtb, "board.dtb");
        for (char **word = argv; *word; word++) {
                CLEANUP_FREE char *quoted = (*word)[strspn(*word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                                  "0123456789-_=.,:/")]
                                                    ? str_shell_quote(*word)
                                                    : xstrdup(*word);

                str_addf(&script, "%s%s", word == argv ? "" : " ", quoted);
        }
        str_addc(&script, '\n');
        *ret = str_steal(&script);
        return 0;
}
