/* A file as TFTP's netascii has it (wire/tftp.h), with its size known before
 * and any part readable again: what is sent once may be sent twice. */
#pragma once

#include "serve/files.h"

enum { NETASCII_FILE_MAX = 64 << 20 }; /* texts are smaller */

/* Puts the encoded file in the place of *file, which it owns from then on. It is read
 * through once. -EFBIG, or -EIO. */
int file_netascii(struct file **file, struct error *err);
