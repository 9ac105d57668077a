/* Paths that clients ask for: made safe, and read for what they say about who asks. */
#pragma once

#include "site/request.h"

/* Without leading and doubled slashes, '\' as '/', "." left out. -EACCES for "..", -ENOENT for control characters and
 * for nothing at all. The caller frees. */
int site_path_clean(const char *path, char **ret, struct error *err);

/* boot.ipxe, and autoexec.ipxe, which iPXE looks for by itself. */
bool site_path_is_ipxe(const char *path);
/* pxelinux.cfg/ and one of the names that PXELINUX and U-Boot try, in any folder. */
bool site_path_is_pxelinux(const char *path);
/* grub.cfg, or grub.cfg- and one of the names that GRUB tries, in any folder. */
bool site_path_is_grub(const char *path);
/* boot.scr.uimg and boot.scr, which U-Boot asks for by DHCP. */
bool site_path_is_uboot(const char *path);
/* Such a name may contain a MAC or an IP address: is it that of the client? */
bool site_path_is_own(const struct site_request *request, const char *path);

/* Who asks: by the lease, by a reserved address, or else by what the path says. Returns what is left of the path after
 * a folder that names the machine: mac/MAC/, and for a Raspberry Pi SERIAL/ or MAC/. */
const char *site_request_of_peer(struct site_request *request, const struct site *site, const struct site_peer *peer,
                                 const char *path);
