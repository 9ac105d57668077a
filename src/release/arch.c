/* Names of architectures: as the kernel says them (uname -m), the other names
 * that people and makers use, and whose programs a machine runs beside its own.
 * "-musl" behind a name: a system whose C library is musl alone. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/str.h"
#include "release/release_internal.h"

static const struct machine {
        const char *name;
        const char *older;    /* programs of that machine run here too */
        const char *other[6]; /* names */
        const char *plain;    /* of a system with musl: the same machine; what needs no C library runs there, too */
} machines[] = {
        {"x86_64", NULL, {"amd64", "x64", "x86-64"}},
        {"i386", NULL, {"i486", "i586", "i686", "386", "x86"}},
        {"aarch64", NULL, {"arm64"}},
        {"armv7l", "armv6l", {"armhf", "armv7", "armv8l"}},
        {"armv6l", "armv5l", {"armv6", "armv6hf"}},
        {"armv5l", NULL, {"armel", "armv5", "armv5tel", "arm"}},
        {"riscv64", NULL, {"riscv64gc"}},
        {"ppc64le", NULL, {"ppc64el", "powerpc64le"}},
        {"ppc64", NULL, {"powerpc64"}},
        {"s390x", NULL, {NULL}},
        {"loongarch64", NULL, {"loong64"}},
        {"mips64el", NULL, {"mips64le"}},
        {"mipsel", NULL, {"mipsle"}},
        {"x86_64-musl", NULL, {"amd64-musl"}, "x86_64"},
        {"i386-musl", NULL, {"i686-musl", "x86-musl"}, "i386"},
        {"aarch64-musl", NULL, {"arm64-musl"}, "aarch64"},
        {"armv7l-musl", "armv6l-musl", {"armhf-musl", "armv7-musl"}, "armv7l"},
        {"armv6l-musl", "armv5l-musl", {"armv6-musl"}, "armv6l"},
        {"armv5l-musl", NULL, {"armel-musl"}, "armv5l"},
        {"riscv64-musl", NULL, {NULL}, "riscv64"},
        {"ppc64le-musl", NULL, {"ppc64el-musl"}, "ppc64le"},
        {"s390x-musl", NULL, {NULL}, "s390x"},
        {"loongarch64-musl", NULL, {"loong64-musl"}, "loongarch64"},
};

static const struct machine *find(const char *name)
{
        for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
                if (strcmp(machines[i].name, name) == 0)
                        return &machines[i];
                for (size_t k = 0; machines[i].other[k]; k++)
                        if (strcmp(machines[i].other[k], name) == 0)
                                return &machines[i];
        }
        return NULL;
}

const char *release_machine(const char *name)
{
        const struct machine *machine = find(name);

        return machine ? machine->name : NULL;
}

const char *release_machine_older(const char *name)
{
        const struct machine *machine = find(name);

        return machine ? machine->older : NULL;
}

const char *release_machine_plain(const char *name)
{
        const struct machine *machine = find(name);

        return machine ? machine->plain : NULL;
}

bool release_machine_runs(const char *machine, const char *built)
{
        const char *plain = release_machine_plain(machine);

        for (; machine; machine = release_machine_older(machine))
                if (strcmp(machine, built) == 0)
                        return true;
        for (; plain; plain = release_machine_older(plain))
                if (strcmp(plain, built) == 0)
                        return true;
        return false;
}

/* The kernel may have more bits than the system on it: then we have fewer, too. */
static const char *host_machine(void)
{
        static struct utsname host;
        const char *name;

        uname(&host);
        name = release_machine(host.machine);
        if (sizeof(void *) == 4 && str_eq(name, "aarch64"))
                return "armv7l";
        if (sizeof(void *) == 4 && str_eq(name, "x86_64"))
                return "i386";
        return name ? name : host.machine;
}

/* The C library is the one that we are made for. */
const char *release_host_machine(void)
{
#ifdef __GLIBC__
        return host_machine();
#else
        static char name[sizeof(((struct utsname *)0)->machine) + sizeof("-musl")];

        snprintf(name, sizeof(name), "%s-musl", host_machine());
        return name;
#endif
}
