/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of families, and where each number is. */
#include "control/measures.h"

#include "base/bytes.h"

/* To add a metric: a row here, and one in memctx(1), METRICS.
 * tests/test_docs.sh compares them. */
struct measure {
    struct exposition_family family;
    const char *labels; /* as the manual has them */
    /* One of the two: a number of the agent's, */
    void (*agent)(const struct exposition *e, const struct measure *m,
                  const struct service *service,
                  const struct measures_wish *wish);
    /* or one of each domain. False: it has none. */
    bool (*domain)(const struct record *r, double *ret);
    /* Some families have more to say of a domain. */
    void (*add)(const struct exposition *e, const struct measure *m,
                const struct service *service, const struct record *r);
};

static bool
may(const struct measures_wish *wish, const struct record *r)
{
    return wish->may == NULL || wish->may(wish->arg, r);
}

static void
add_states(const struct exposition *e, const struct measure *m,
           const struct service *service, const struct measures_wish *wish)
{
    unsigned count[MEMCTX_STATES] = {0};
    for (const struct record *r = *service->records; r != NULL; r = r->next)
        count[record_state(r)] += may(wish, r);
    for (unsigned i = 0; i < MEMCTX_STATES; i++) {
        const struct exposition_label label = {
            "state", memctx_state_name((enum memctx_state)i)};
        exposition_add(e, &m->family, &label, 1, count[i]);
    }
}

static void
add_version(const struct exposition *e, const struct measure *m,
            const struct service *service, const struct measures_wish *wish)
{
    const struct exposition_label label = {"version", PACKAGE_VERSION};
    (void)service;
    (void)wish;
    exposition_add(e, &m->family, &label, 1, 1);
}

static void
add_libvirt(const struct exposition *e, const struct measure *m,
            const struct service *service, const struct measures_wish *wish)
{
    (void)wish;
    exposition_add(e, &m->family, NULL, 0, *service->is_complete);
}

static void
add_start(const struct exposition *e, const struct measure *m,
          const struct service *service, const struct measures_wish *wish)
{
    (void)wish;
    exposition_add(e, &m->family, NULL, 0, (double)service->started_s);
}

static void
add_refusals(const struct exposition *e, const struct measure *m,
             const struct service *service, const struct measures_wish *wish)
{
    (void)wish;
    exposition_add(e, &m->family, NULL, 0, (double)service->refusals);
}

static void
add_domain_states(const struct exposition *e, const struct measure *m,
                  const struct service *service, const struct record *r)
{
    (void)service;
    for (unsigned i = 0; i < MEMCTX_STATES; i++) {
        const struct exposition_label labels[] = {
            {"domain", r->name},
            {"uuid", r->uuid},
            {"state", memctx_state_name((enum memctx_state)i)}};
        exposition_add(e, &m->family, labels, MEMCTX_ARRAY_LEN(labels),
                       record_state(r) == (enum memctx_state)i);
    }
}

static void
add_kernel(const struct exposition *e, const struct measure *m,
           const struct service *service, const struct record *r)
{
    if (!r->has_datum || *service->metrics_kernel == 0)
        return;
    const struct exposition_label labels[] = {
        {"domain", r->name},
        {"uuid", r->uuid},
        {"os", memctx_os_name(r->datum.kernel.os)},
        {"release", r->datum.kernel.version}};
    exposition_add(e, &m->family, labels, MEMCTX_ARRAY_LEN(labels), 1);
}

static bool
get_generation(const struct record *r, double *ret)
{
    *ret = r->datum.generation;
    return r->has_datum && r->datum.generation != 0;
}

static bool
get_replaced(const struct record *r, double *ret)
{
    *ret = r->replaced;
    return true;
}

static bool
get_clock_age(const struct record *r, double *ret)
{
    *ret = (double)adapter_age_us(r->adapter) / 1e6;
    return r->has_datum && adapter_is_listening(r->adapter);
}

static bool
get_delay(const struct record *r, double *ret)
{
    *ret = (double)r->delay_us / 1e6;
    return r->delay_us != 0;
}

static bool
get_tries(const struct record *r, double *ret)
{
    *ret = (double)adapter_tries(r->adapter);
    return true;
}

static bool
get_cpu(const struct record *r, double *ret)
{
    *ret = (double)adapter_spent_us(r->adapter) / 1e6;
    return true;
}

static bool
get_faults(const struct record *r, double *ret)
{
    const char *ignored;
    *ret = adapter_faults(r->adapter, &ignored);
    return true;
}

static bool
get_repairs(const struct record *r, double *ret)
{
    *ret = r->repairs;
    return true;
}

#define OF_DOMAIN "domain, uuid"

static const struct measure measures[] = {
    {.family = {"memctx_build", EXPOSITION_INFO, NULL, "Version of memctxd."},
     .labels = "version",
     .agent = add_version},
    {.family = {"memctx_start_time_seconds", EXPOSITION_GAUGE, "seconds",
                "When memctxd started, since the epoch."},
     .labels = "",
     .agent = add_start},
    {.family = {"memctx_libvirt_up", EXPOSITION_GAUGE, NULL,
                "1 while libvirt is connected and has listed its domains, else "
                "0."},
     .labels = "",
     .agent = add_libvirt},
    {.family = {"memctx_requests_refused", EXPOSITION_COUNTER, NULL,
                "Requests and connections of clients that were refused for "
                "want of a right."},
     .labels = "",
     .agent = add_refusals},
    {.family = {"memctx_domains", EXPOSITION_GAUGE, NULL,
                "Running domains by state."},
     .labels = "state",
     .agent = add_states},
    {.family = {"memctx_domain_state", EXPOSITION_GAUGE, NULL,
                "1 for the state that the domain is in, 0 for the others."},
     .labels = OF_DOMAIN ", state",
     .add = add_domain_states},
    {.family = {"memctx_domain_generation", EXPOSITION_GAUGE, NULL,
                "Number of the kernel in this run of the domain, from 1 on."},
     .labels = OF_DOMAIN,
     .domain = get_generation},
    {.family = {"memctx_domain_kernels_replaced", EXPOSITION_COUNTER, NULL,
                "Kernels that took the place of another one without a reset."},
     .labels = OF_DOMAIN,
     .domain = get_replaced},
    {.family = {"memctx_domain_clock_age_seconds", EXPOSITION_GAUGE, "seconds",
                "Time since a clock of the kernel last moved."},
     .labels = OF_DOMAIN,
     .domain = get_clock_age},
    {.family = {"memctx_domain_datum_delay_seconds", EXPOSITION_GAUGE,
                "seconds",
                "Time from the last start or reset of the guest to the datum "
                "of its kernel, where memctxd was there."},
     .labels = OF_DOMAIN,
     .domain = get_delay},
    {.family = {"memctx_domain_tries", EXPOSITION_COUNTER, NULL,
                "Tries at finding a kernel."},
     .labels = OF_DOMAIN,
     .domain = get_tries},
    {.family = {"memctx_domain_prober_cpu_seconds", EXPOSITION_COUNTER,
                "seconds", "CPU time that probers have used for the domain."},
     .labels = OF_DOMAIN,
     .domain = get_cpu},
    {.family = {"memctx_domain_prober_faults", EXPOSITION_COUNTER, NULL,
                "Probers of the domain that crashed, or were killed for "
                "breaking a limit."},
     .labels = OF_DOMAIN,
     .domain = get_faults},
    {.family = {"memctx_domain_metadata_repairs", EXPOSITION_COUNTER, NULL,
                "Times that metadata changed by somebody else were put right."},
     .labels = OF_DOMAIN,
     .domain = get_repairs},
    {.family = {"memctx_domain_kernel", EXPOSITION_INFO, NULL,
                "System and release of the kernel in the domain, as the guest "
                "says."},
     .labels = OF_DOMAIN ", os, release",
     .add = add_kernel},
};

const struct exposition_family *
measures_family(size_t index)
{
    return index < MEMCTX_ARRAY_LEN(measures) ? &measures[index].family : NULL;
}

const char *
measures_labels(size_t index)
{
    return measures[index].labels;
}

static void
add_domain(const struct exposition *e, const struct measure *m,
           const struct service *service, const struct record *r)
{
    const struct exposition_label labels[] = {{"domain", r->name},
                                              {"uuid", r->uuid}};
    double value;
    if (m->add != NULL)
        m->add(e, m, service, r);
    else if (m->domain(r, &value))
        exposition_add(e, &m->family, labels, MEMCTX_ARRAY_LEN(labels), value);
}

void
measures_write(const struct service *service, const struct measures_wish *wish,
               struct memctx_text *text)
{
    const struct exposition e = {text, wish->spelling};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(measures); i++) {
        const struct measure *m = &measures[i];
        exposition_begin(&e, &m->family);
        if (m->agent != NULL) {
            m->agent(&e, m, service, wish);
            continue;
        }
        for (const struct record *r = *service->records; r != NULL; r = r->next)
            if (may(wish, r))
                add_domain(&e, m, service, r);
    }
    exposition_end(&e);
}
