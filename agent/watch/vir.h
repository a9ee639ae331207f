/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Scope guards for what libvirt hands out, and its words for errors. */
#ifndef MEMCTXD_VIR_H
#define MEMCTXD_VIR_H

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stddef.h>

static inline void
vir_cleanup_connection(virConnectPtr *connection)
{
    if (*connection != NULL)
        virConnectClose(*connection);
}

static inline void
vir_cleanup_domain(virDomainPtr *domain)
{
    if (*domain != NULL)
        virDomainFree(*domain);
}

/* What went wrong last in this thread; "no error". */
static inline const char *
vir_last_error(void)
{
    const char *message = virGetLastErrorMessage();
    return message != NULL ? message : "no error";
}

#endif
