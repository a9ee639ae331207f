/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What a test needs that runs a whole agent on stub RAM by itself. */
#ifndef MEMCTX_TESTS_STUBAGENT_H
#define MEMCTX_TESTS_STUBAGENT_H

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "config/settings.h"
#include "unit.h"

static inline void
stubagent_on_tick(int id, void *opaque)
{
    (void)id;
    (void)opaque;
}

static inline void
stubagent_ignore_error(void *opaque, virErrorPtr error)
{
    (void)opaque;
    (void)error;
}

/* Once in a process, before anything else of libvirt. A turn of the loop ends
 * after so long, also when nothing happens. */
static inline void
stubagent_prepare_loop(int turn_ms)
{
    virSetErrorFunc(NULL, stubagent_ignore_error);
    assert_int_equal(virEventRegisterDefaultImpl(), 0);
    assert_true(virEventAddTimeout(turn_ms, stubagent_on_tick, NULL, NULL) >=
                0);
}

/* Settings that look quickly, wait patiently, and call no hooks of the
 * machine's own. */
static inline void
stubagent_settings(struct settings *settings, const char *dir)
{
    settings_init(settings);
    settings->prober = getenv("MEMCTX_PROBER"); /* by ./run */
    settings->patience = 60;
    strcpy(settings->uri, "test:///default");
    settings->retry_first_ms = 1;
    settings->retry_cap_ms = 5;
    snprintf(settings->hooks_dir, sizeof(settings->hooks_dir), "%s/none", dir);
}

#endif
