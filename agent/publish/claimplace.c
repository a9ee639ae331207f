/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Calls libvirt for one domain. LIVE only, as the datum: nothing of it is to be
 * there at the domain's next start. */
#include "publish/claimplace.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "datum/datum.h"
#include "watch/event.h"
#include "watch/vir.h"

bool
claimplace_enter(struct watch *watch, const char *uuid,
                 struct claimplace *place)
{
    *place = (struct claimplace){.connection = watch_connection(watch)};
    if (place->connection != NULL)
        place->domain = virDomainLookupByUUIDString(place->connection, uuid);
    return place->domain != NULL;
}

void
claimplace_leave(struct claimplace *place)
{
    vir_cleanup_domain(&place->domain);
    vir_cleanup_connection(&place->connection);
}

bool
claimplace_is_private(const struct claimplace *place)
{
    const char *driver = virConnectGetType(place->connection);
    return driver != NULL && strcasecmp(driver, "test") == 0;
}

static char *
read_element(const struct claimplace *place, const char *uri)
{
    return virDomainGetMetadata(place->domain, VIR_DOMAIN_METADATA_ELEMENT, uri,
                                VIR_DOMAIN_AFFECT_LIVE);
}

bool
claimplace_has_datum(const struct claimplace *place)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *text = read_element(place, MEMCTX_URI);
    return text != NULL;
}

struct claim_word
claimplace_read(const struct claimplace *place)
{
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *text = read_element(place, EVENT_CLAIM_URI);
    return claimword_parse(text);
}

static bool
write_element(const struct claimplace *place, const char *text)
{
    return virDomainSetMetadata(place->domain, VIR_DOMAIN_METADATA_ELEMENT,
                                text, CLAIM_KEY, EVENT_CLAIM_URI,
                                VIR_DOMAIN_AFFECT_LIVE) == 0;
}

bool
claimplace_say(const struct claimplace *place, enum claim_said said,
               const char *token)
{
    char text[CLAIM_TEXT_SIZE];
    claimword_print(said, token, text);
    return write_element(place, text);
}

void
claimplace_clear(const struct claimplace *place)
{
    write_element(place, NULL);
}
