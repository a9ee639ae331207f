/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Uses the system calls themselves: there is nothing here that libcap would
 * make shorter. */
#include "sandbox/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

void
capabilities_clear_ambient(void)
{
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

/* Fails without CAP_SETPCAP at the first, and behind the last one that the
 * kernel knows; both are fine. */
static void
empty_bounding_set(void)
{
    for (unsigned long capability = 0; capability < 64; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            break;
    }
}

int
capabilities_drop(struct memctx_error *err)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3,
    };
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = 0}};
    capabilities_clear_ambient();
    empty_bounding_set();
    if (syscall(SYS_capset, &header, none) < 0)
        return memctx_error_set(err, MEMCTX_BUG,
                                "capabilities cannot be dropped: %s",
                                strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return memctx_error_set(
            err, MEMCTX_BUG, "no_new_privs cannot be set: %s", strerror(errno));
    return 0;
}

bool
capabilities_has(unsigned capability)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3,
    };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = 0}};
    return syscall(SYS_capget, &header, data) == 0 &&
           (data[CAP_TO_INDEX(capability)].effective &
            CAP_TO_MASK(capability)) != 0;
}
