/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Packets of gdb's protocol, whole and broken, in whatever pieces they come. */
#include "unit.h"

#include "memctx/gdbpacket.h"

/* What happened last of all that happened, and how often something did. */
static enum gdbpacket_event
feed(struct gdbpacket *packet, const char *bytes, size_t len, unsigned *count)
{
    enum gdbpacket_event last = GDBPACKET_NONE;
    *count = 0;
    for (size_t i = 0; i < len; i++) {
        enum gdbpacket_event event = gdbpacket_feed(packet, bytes[i]);
        if (event == GDBPACKET_NONE)
            continue;
        last = event;
        ++*count;
    }
    return last;
}

static void
packet_comes_out_of_its_frame(void **state)
{
    (void)state;
    struct gdbpacket *packet = test_calloc(1, sizeof(*packet));
    static const char bytes[] = "+$m10,4#2e";
    unsigned count;
    assert_int_equal(feed(packet, bytes, sizeof(bytes) - 1, &count),
                     GDBPACKET_WHOLE);
    assert_int_equal(count, 1);
    assert_string_equal(packet->text, "m10,4");
    /* Once more, after what gdb sends between packets. */
    assert_int_equal(feed(packet, "+-\x03$?#3f", 8, &count), GDBPACKET_WHOLE);
    assert_string_equal(packet->text, "?");
    assert_int_equal(feed(packet, "$#00", 4, &count), GDBPACKET_WHOLE);
    assert_string_equal(packet->text, "");
    test_free(packet);
}

static void
broken_packets_are_none(void **state)
{
    (void)state;
    static const char *const broken[] = {"$?#3e", "$?#zz", "$?#3", "?#3f",
                                         "$?"};
    struct gdbpacket *packet = test_calloc(1, sizeof(*packet));
    unsigned count;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        assert_int_not_equal(feed(packet, broken[i], strlen(broken[i]), &count),
                             GDBPACKET_WHOLE);
    /* The next one begins with a '$', whatever was before. */
    assert_int_equal(feed(packet, "$?#3f", 5, &count), GDBPACKET_WHOLE);
    /* One that would write memory has any bytes. */
    assert_int_equal(feed(packet, "$X1,1:\0#20", 10, &count), GDBPACKET_WHOLE);
    assert_string_equal(packet->text, "X1,1:");
    test_free(packet);
}

static void
packet_that_is_too_long_is_none(void **state)
{
    (void)state;
    struct gdbpacket *packet = test_calloc(1, sizeof(*packet));
    unsigned count;
    gdbpacket_feed(packet, '$');
    for (size_t i = 0; i < GDBPACKET_MAX; i++)
        assert_int_equal(gdbpacket_feed(packet, 'x'), GDBPACKET_NONE);
    assert_int_equal(gdbpacket_feed(packet, 'x'), GDBPACKET_BROKEN);
    assert_int_equal(feed(packet, "xx#00", 5, &count), GDBPACKET_NONE);
    assert_int_equal(feed(packet, "$?#3f", 5, &count), GDBPACKET_WHOLE);
    test_free(packet);
}

static void
packet_is_made_and_escaped(void **state)
{
    (void)state;
    struct memctx_text out = MEMCTX_TEXT_INIT;
    gdbpacket_add(&out, "OK", 2);
    assert_string_equal(out.bytes, "$OK#9a");
    out.len_bytes = 0;
    gdbpacket_add(&out, "", 0);
    assert_string_equal(out.bytes, "$#00");
    out.len_bytes = 0;
    gdbpacket_add(&out, "a#}", 3);
    assert_string_equal(out.bytes, "$a}\x03}]#bb");
    memctx_text_deinit(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packet_comes_out_of_its_frame),
        cmocka_unit_test(broken_packets_are_none),
        cmocka_unit_test(packet_that_is_too_long_is_none),
        cmocka_unit_test(packet_is_made_and_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
