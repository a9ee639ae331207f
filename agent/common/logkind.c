/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of kinds. */
#include "common/logkind.h"

static const struct log_kind_row rows[LOG_KINDS] = {
    [LOG_KIND_STARTED] = {"abf1a74001f44bed8e13d607b45badc7",
                          "memctxd has started."},
    [LOG_KIND_STOPPING] = {"a6af6861f2d0448787483f8ec70699a3",
                           "memctxd stops, and withdraws all data."},
    [LOG_KIND_CUT_SHORT] =
        {"a4aee8aaa1d243cb80c9952627ba9d83",
         "memctxd stops before all data could be withdrawn."},
    [LOG_KIND_REFUSED] =
        {"364262f3d80a4388b71cdf848eab0f3d",
         "Another memctxd vouches for these domains, or has this directory."},
    [LOG_KIND_RELOADED] =
        {"dd4b85fa32214e24816bd85149044ba6",
         "The configuration was read again; or keys in it count from the next start."},
    [LOG_KIND_NOT_RELOADED] =
        {"04d9b81ace614758b61fb57e15e23046",
         "The configuration has a fault: the settings stay as they were."},
    [LOG_KIND_CONNECTED] = {"fd6feb5dad7144c1a21480955caf4806",
                            "memctxd is connected to libvirt."},
    [LOG_KIND_DISCONNECTED] =
        {"d6a289d186b24f3aa47d7afca4b719a9",
         "The connection to libvirt was lost, or cannot be had."},
    [LOG_KIND_GAINED] = {"5d1b3dac30814bdf9fc66217aba94c4b",
                         "A domain has a datum that it did not have before."},
    [LOG_KIND_LOST] = {"6286b13d89cf459c841b9e7dc77f2e2b",
                       "A domain has its datum no more."},
    [LOG_KIND_SILENT] =
        {"7a05da4ebf5c4c1db29e35cb824f0617",
         "The kernel of a domain does not run; its datum says so."},
    [LOG_KIND_UNSUPPORTED] =
        {"5700b30a2ae44d30b444b752bd243476",
         "The kernel of a domain can never be found, and why."},
    [LOG_KIND_STATE] = {"74fc17ff63fe45d9bb8e27ab4a461678",
                        "Anything else has become of a domain's state."},
    [LOG_KIND_PROBER] =
        {"d6adbb4bb9764739b311d412c13098e6",
         "A prober crashed, or was killed because it broke a limit."},
    [LOG_KIND_METADATA] = {"2dfd91d98065480798e0c027d3e33ffa",
                           "Somebody else changed the metadata of a domain."},
    [LOG_KIND_UNPUBLISHED] =
        {"ff8285ec3ec9459d99d4fb55c8c49556",
         "A datum cannot be written, or all can be again."},
    [LOG_KIND_LAYOUT] =
        {"0884fbff686545208b8b58a468ef5c71",
         "Where a domain's RAM is may depend on what memctxd cannot read."},
    [LOG_KIND_UNWATCHED] =
        {"73d929b58b2845a0af47b7e16ec4d895",
         "A domain cannot be watched, or an event of libvirt was lost."},
    [LOG_KIND_HANDED_IN] = {"c63e9c61312f48a0947141503f70b5a6",
                            "A client has handed in the RAM of a domain."},
    [LOG_KIND_LEFT_OUT] =
        {"e7824488f7b74de9a456e3dbf6a1b607",
         "A domain is left out by the key B<domains> from now on."},
    [LOG_KIND_HOOK_SAID] = {"0a62fd30d48e4007bee35f7135355841",
                            "A hook has printed a line."},
    [LOG_KIND_HOOK_FAILED] =
        {"d0e9ea15ee3d4cf395c8e0ec6fedd6af",
         "A hook cannot be run, has failed, or was not told of an old event."},
    [LOG_KIND_DIRECTORY] =
        {"c1a5164082ae49e9ba1a09601395488d",
         "The agent's directory, or something in it, was removed, is made again, or cannot be."},
    [LOG_KIND_ACCESS] = {"a705b8f00aae4cd0955242ce0bfcd37d",
                         "A client has asked for a guest's RAM."},
    [LOG_KIND_DENIED] = {"f9c075dd4dde41c1b15e87fdc9bbb39b",
                         "A client of the control socket was refused."},
    [LOG_KIND_RETRACTED] =
        {"078368ce2d434fe28ff5677879ea600e",
         "B<--retract> has nothing to withdraw, because a memctxd is there."},
    [LOG_KIND_JOURNAL] =
        {"3fa22926603f497180ed12c9d1d59a8e",
         "Lines were lost: the journal did not take them in time."},
    [LOG_KIND_METRICS] = {"de312f60310f485f86070259be7386b9",
                          "The file with metrics cannot be written, or can be "
                          "again."},
    [LOG_KIND_NOT_KEPT] =
        {"f410ff4b0f204a84abb13ea03cd7ce95",
         "The log of a kernel that has ended is not kept, and why."},
    [LOG_KIND_FAULT] = {"dc6132ed338f4c5e8a534757156cf85b",
                        "The event loop does not work."},
};

const struct log_kind_row *
log_kind_row(enum log_kind kind)
{
    return kind < LOG_KINDS && rows[kind].id != NULL ? &rows[kind] : NULL;
}
