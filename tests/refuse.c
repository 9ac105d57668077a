/* refuse SYSCALL[:ARG0]=ERRNO... COMMAND...: run a command for which system calls
 * fail, as a kernel's switches, a container's seccomp profile or AppArmor make them
 * fail. With :ARG0 only calls with that first argument; ERRNO is a name of errno(3). */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int number_of(const char *name)
{
        for (int i = 1; i < 134; i++)
                if (strerrorname_np(i) && strcmp(strerrorname_np(i), name) == 0)
                        return i;
        return -1;
}

static int add(scmp_filter_ctx filter, char *rule)
{
        char *equals = strchr(rule, '='), *colon = strchr(rule, ':');
        int error = number_of(equals + 1), call;

        *equals = '\0';
        if (colon)
                *colon = '\0';
        call = seccomp_syscall_resolve_name(rule);
        if (error < 0 || call == __NR_SCMP_ERROR)
                return -EINVAL;
        if (!colon)
                return seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned int)error), call, 0);
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned int)error), call, 1,
                                SCMP_A0(SCMP_CMP_EQ, strtoull(colon + 1, NULL, 0)));
}

int main(int argc, char **argv)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        int i = 1, r = filter ? 0 : -ENOMEM;

        /* As root, programs with the set-uid bit are to work in the command. */
        if (r == 0)
                r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, geteuid() != 0);
        for (; r == 0 && i < argc && strchr(argv[i], '='); i++)
                r = add(filter, argv[i]);
        if (r == 0 && i == argc)
                r = -EINVAL;
        if (r == 0)
                r = seccomp_load(filter);
        if (r < 0) {
                fprintf(stderr, "refuse: %s\n", strerror(-r));
                return 2;
        }
        execvp(argv[i], &argv[i]);
        fprintf(stderr, "refuse: %s: %s\n", argv[i], strerror(errno));
        return 127;
}
