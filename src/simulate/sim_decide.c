/* Which of the answers a client boots from. */
#include "base/str.h"
#include "simulate/sim.h"

static enum sim_way none(const char *why, const char **ret_why)
{
        *ret_why = why;
        return SIM_WAY_NONE;
}

/* EDK2 (PxeBcDhcp4.c): an answer of class PXEClient is complete if its option 43 is; else it leads to port 4011. */
static enum sim_way pxe(const struct sim_answer *answer, const char **ret_why)
{
        if (answer->pxe_class && !(answer->has_vendor && answer->use_file && *answer->file))
                return SIM_WAY_BINL;
        return *answer->file ? SIM_WAY_FILE : none("no boot file was named", ret_why);
}

static bool is_uri(const char *file)
{
        return str_starts(file, "http://") || str_starts(file, "tftp://");
}

/* iPXE (dhcp.c): a proxy's answer is final with server and file. */
static enum sim_way ipxe(const struct sim_answer *answer, bool proxy, const char **ret_why)
{
        if (*answer->file && (answer->next_server || is_uri(answer->file)))
                return SIM_WAY_FILE;
        return proxy ? SIM_WAY_BINL : none("no boot file was named", ret_why);
}

static enum sim_way http(const struct sim_answer *answer, const char **ret_why)
{
        if (!answer->http_class)
                return none("no answer is of class HTTPClient", ret_why);
        return str_starts(answer->file, "http://") ? SIM_WAY_FILE : none("the boot file is no URI", ret_why);
}

enum sim_way sim_decide(const struct sim_kind *kind, const struct sim_answer *offer, const struct sim_answer *proxy,
                        const struct sim_answer **ret, const char **ret_why)
{
        bool by_proxy = proxy->there;

        if (kind->rules == SIM_HTTP)
                by_proxy = proxy->there && !offer->http_class;
        if (kind->rules == SIM_PI)
                by_proxy = proxy->there && !offer->pi_menu;
        *ret = by_proxy ? proxy : offer;
        switch (kind->rules) {
        case SIM_PXE:
                return pxe(*ret, ret_why);
        case SIM_IPXE:
                return ipxe(*ret, by_proxy, ret_why);
        case SIM_HTTP:
                return http(*ret, ret_why);
        case SIM_PLAIN:
                *ret = offer;
                return offer->next_server ? SIM_WAY_FILE : none("no next server was named", ret_why);
        case SIM_PI:
                if (!(*ret)->pi_menu)
                        return none("no answer has the menu 'Raspberry Pi Boot' in option 43", ret_why);
                return (*ret)->next_server ? SIM_WAY_FILE : none("no next server was named", ret_why);
        }
        return SIM_WAY_NONE;
}
