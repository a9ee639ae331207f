/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* An agent as systemd starts it for another user than root: with ambient
 * capabilities, which every program inherits. */
#ifndef MEMCTX_TESTS_AMBIENT_H
#define MEMCTX_TESTS_AMBIENT_H

#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A capability that a program of another user would inherit. False: we have
 * none to give. */
static inline bool
raise_ambient(void)
{
    struct __user_cap_header_struct header = {.version =
                                                  _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0 ||
        (data[0].permitted & 1u << CAP_DAC_OVERRIDE) == 0)
        return false;
    data[0].inheritable |= 1u << CAP_DAC_OVERRIDE;
    return syscall(SYS_capset, &header, data) == 0 &&
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0,
                 0) == 0;
}

#endif
