/* The architectures that guests may have: their ELF headers, their qemu, and
 * whether this host runs them itself. Private to this room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct arch {
        const char *name; /* as uname -m says, nearly; also qemu's name of it */
        uint16_t machine; /* EM_... */
        uint8_t bits;
        bool big_endian;
        const char *cpu; /* QEMU_CPU that runs fastest, or NULL: qemu's default */
};

enum { ARCH_PATTERN = 20 }; /* e_ident, e_type, e_machine */

/* The i-th architecture of that ELF machine, the usual one first; NULL: no more. */
const struct arch *arch_by_machine(int machine, size_t i);
const struct arch *arch_by_elf(int machine, int bits, bool big_endian);
const struct arch *arch_by_name(const char *name);
/* Its number, and back. */
size_t arch_index(const struct arch *arch);
const struct arch *arch_at(size_t index);

/* Whether this host's kernel and CPU run it without qemu. */
bool arch_native(const struct arch *arch);

/* For binfmt_misc: what its programs begin with, and which bits count. */
void arch_pattern(const struct arch *arch, uint8_t magic[ARCH_PATTERN], uint8_t mask[ARCH_PATTERN]);

/* The architecture of the tree beneath an open folder. `where` is its name for messages. */
int arch_of_tree(int root_fd, const char *where, const struct arch **ret, struct error *err);

/* The same of the tree in a folder, which is opened: *ret_fd. */
int arch_of_folder(const char *root, int *ret_fd, const struct arch **ret, struct error *err);

/* The path of a qemu for it that needs no libraries: `wanted` if that is such
 * a one, else qemu-ARCH-static or qemu-ARCH. NULL if there is none; the caller frees. */
char *arch_qemu(const struct arch *arch, const char *wanted);
