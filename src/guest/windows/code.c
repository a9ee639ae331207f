/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Follows the few instructions that a getter is made of, with symbols instead
 * of numbers in the registers: "the argument plus 0x440", "the field at 0x440".
 * Source: Intel SDM vol. 2, chapter 2 (instruction format), appendix A. */
#include "guest/windows/code.h"

#include <elf.h>
#include <string.h>

#define STEPS_MAX 24
#define OFFSET_MIN 8
#define OFFSET_MAX 0xfff

enum reg {
    RAX = 0,
    RCX = 1,
    RSP = 4,
    RBP = 5,
    REGS = 16
};

struct value {
    enum {
        UNKNOWN,
        ARGUMENT, /* + offset */
        STACK,    /* the stack pointer at the entry + offset */
        FIELD,    /* what is at argument + offset */
    } kind;
    int64_t offset;
};

struct cpu {
    struct memctx_view *view;
    unsigned word; /* 4 or 8 */
    uint64_t ip;
    bool returned;
    bool spilled; /* rcx was put into its home on the stack */
    struct value reg[REGS];
};

/* One instruction, taken apart. */
struct insn {
    unsigned char bytes[16];
    size_t len; /* that could be read */
    size_t at;  /* next byte */
    bool bad;
    unsigned char rex;
    unsigned opcode; /* 0x0f.. for two bytes */
    /* ModRM */
    unsigned reg; /* operand or digit */
    bool is_memory;
    unsigned rm;          /* register, when it is no memory */
    struct value address; /* of memory */
};

static unsigned char
next_byte(struct insn *insn)
{
    if (insn->at >= insn->len) {
        insn->bad = true;
        return 0;
    }
    return insn->bytes[insn->at++];
}

static int64_t
next_disp8(struct insn *insn)
{
    return (int8_t)next_byte(insn);
}

static int64_t
next_disp32(struct insn *insn)
{
    unsigned char raw[4];
    for (int i = 0; i < 4; i++)
        raw[i] = next_byte(insn);
    return (int32_t)memctx_le32(raw);
}

/* What can be read at ip: the code may end with its page. */
static void
fetch(struct cpu *cpu, struct insn *insn)
{
    uint64_t left = MEMCTX_PAGE_SIZE - cpu->ip % MEMCTX_PAGE_SIZE;
    insn->len = sizeof(insn->bytes);
    if (memctx_view_read(cpu->view, cpu->ip, insn->bytes, insn->len, NULL) == 0)
        return;
    insn->len = (size_t)memctx_min(left, sizeof(insn->bytes));
    insn->bad =
        memctx_view_read(cpu->view, cpu->ip, insn->bytes, insn->len, NULL) < 0;
}

/* Base of a memory operand; an index register makes it unknown. */
static struct value
base_of(const struct cpu *cpu, struct insn *insn, unsigned mod, unsigned rm)
{
    unsigned base = rm | (insn->rex & 1u) << 3;
    if (rm == 4) {
        unsigned char sib = next_byte(insn);
        unsigned index = (sib >> 3 & 7u) | (insn->rex & 2u) << 2;
        base = (sib & 7u) | (insn->rex & 1u) << 3;
        if (index != 4)
            return (struct value){UNKNOWN, 0};
        rm = sib & 7u;
    }
    if (mod == 0 && rm == 5)
        return (struct value){UNKNOWN, 0};
    return cpu->reg[base];
}

static void
decode_modrm(const struct cpu *cpu, struct insn *insn)
{
    unsigned char modrm = next_byte(insn);
    unsigned mod = modrm >> 6;
    unsigned rm = modrm & 7u;
    insn->reg = (modrm >> 3 & 7u) | (insn->rex & 4u) << 1;
    insn->is_memory = mod != 3;
    insn->rm = rm | (insn->rex & 1u) << 3;
    if (!insn->is_memory)
        return;
    insn->address = base_of(cpu, insn, mod, rm);
    if (mod == 1)
        insn->address.offset += next_disp8(insn);
    else if (mod == 2 || (mod == 0 && rm == 5))
        insn->address.offset += next_disp32(insn);
}

/* Prefixes and opcode. 66 and F3 only change what we do not care for. */
static void
decode_opcode(const struct cpu *cpu, struct insn *insn)
{
    unsigned char byte = next_byte(insn);
    for (int i = 0; i < 3 && (byte == 0x66 || byte == 0xf3); i++)
        byte = next_byte(insn);
    if (cpu->word == 8 && (byte & 0xf0) == 0x40) {
        insn->rex = byte;
        byte = next_byte(insn);
    }
    insn->opcode = byte;
    if (byte == 0x0f)
        insn->opcode = 0x0f00u | next_byte(insn);
}

/* What a load gives. On 32 bits the argument is above the return address; on
 * 64 it may have been put into its home there. */
static struct value
load(const struct cpu *cpu, struct value address)
{
    if (address.kind == ARGUMENT)
        return (struct value){FIELD, address.offset};
    if (address.kind == STACK && address.offset == cpu->word &&
        (cpu->word == 4 || cpu->spilled))
        return (struct value){ARGUMENT, 0};
    return (struct value){UNKNOWN, 0};
}

/* Operations return false when they do more than we follow. */
typedef bool operation(struct cpu *cpu, struct insn *insn);

static bool
op_nothing(struct cpu *cpu, struct insn *insn)
{
    (void)cpu;
    (void)insn;
    return true;
}

static bool
op_load(struct cpu *cpu, struct insn *insn)
{
    cpu->reg[insn->reg] =
        insn->is_memory ? load(cpu, insn->address) : cpu->reg[insn->rm];
    return true;
}

static bool
op_store(struct cpu *cpu, struct insn *insn)
{
    struct value what = cpu->reg[insn->reg];
    if (!insn->is_memory) {
        cpu->reg[insn->rm] = what;
        return true;
    }
    if (insn->address.kind != STACK)
        return false;
    if (insn->address.offset == cpu->word)
        cpu->spilled = what.kind == ARGUMENT && what.offset == 0;
    return true;
}

static bool
op_lea(struct cpu *cpu, struct insn *insn)
{
    cpu->reg[insn->reg] =
        insn->is_memory ? insn->address : (struct value){UNKNOWN, 0};
    return true;
}

static bool
op_add_eax(struct cpu *cpu, struct insn *insn)
{
    cpu->reg[RAX].offset += next_disp32(insn);
    return cpu->reg[RAX].kind != FIELD;
}

/* Group 1: only /0 (add) and /5 (sub) of registers. */
static bool
op_group1(struct cpu *cpu, struct insn *insn)
{
    int64_t number =
        insn->opcode == 0x83 ? next_disp8(insn) : next_disp32(insn);
    unsigned digit = insn->reg & 7u;
    if (insn->is_memory || (digit != 0 && digit != 5))
        return false;
    struct value *value = &cpu->reg[insn->rm];
    value->offset += digit == 0 ? number : -number;
    return value->kind != FIELD;
}

static bool
op_push(struct cpu *cpu, struct insn *insn)
{
    (void)insn;
    cpu->reg[RSP].offset -= cpu->word;
    return true;
}

static bool
op_pop(struct cpu *cpu, struct insn *insn)
{
    cpu->reg[RSP].offset += cpu->word;
    cpu->reg[(insn->opcode & 7u) | (insn->rex & 1u) << 3] =
        (struct value){UNKNOWN, 0};
    return true;
}

static bool
op_leave(struct cpu *cpu, struct insn *insn)
{
    (void)insn;
    cpu->reg[RSP] = cpu->reg[RBP];
    cpu->reg[RSP].offset += cpu->word;
    cpu->reg[RBP] = (struct value){UNKNOWN, 0};
    return true;
}

static bool
op_ret(struct cpu *cpu, struct insn *insn)
{
    (void)insn;
    cpu->returned = true;
    return true;
}

static bool
op_jump(struct cpu *cpu, struct insn *insn)
{
    int64_t by = insn->opcode == 0xeb ? next_disp8(insn) : next_disp32(insn);
    cpu->ip += (uint64_t)by;
    return true;
}

/* FF /4 through a fixed place: a thunk of an import table. */
static bool
op_jump_through(struct cpu *cpu, struct insn *insn)
{
    unsigned char modrm = next_byte(insn);
    int64_t disp = next_disp32(insn);
    uint64_t place = cpu->word == 8 ? cpu->ip + insn->at + (uint64_t)disp
                                    : (uint64_t)(uint32_t)disp;
    uint64_t target;
    if (modrm != 0x25 ||
        memctx_view_pointer(cpu->view, place, &target, NULL) < 0)
        return false;
    cpu->ip = target - insn->at; /* which step() adds */
    return true;
}

static const struct {
    unsigned first, last; /* opcodes */
    bool modrm;
    operation *run;
} operations[] = {
    {0x05, 0x05, false, op_add_eax},
    {0x50, 0x57, false, op_push},
    {0x58, 0x5f, false, op_pop},
    {0x63, 0x63, true, op_load}, /* movsxd */
    {0x81, 0x81, true, op_group1},
    {0x83, 0x83, true, op_group1},
    {0x89, 0x89, true, op_store},
    {0x8b, 0x8b, true, op_load},
    {0x8d, 0x8d, true, op_lea},
    {0x90, 0x90, false, op_nothing},
    {0xc2, 0xc3, false, op_ret},
    {0xc9, 0xc9, false, op_leave},
    {0xe9, 0xe9, false, op_jump},
    {0xeb, 0xeb, false, op_jump},
    {0xff, 0xff, false, op_jump_through},
    {0x0f1e, 0x0f1f, true, op_nothing}, /* endbr64, long nop */
    {0x0fb6, 0x0fb7, true, op_load},    /* movzx */
};

/* Do one instruction; false when it is none that we follow. */
static bool
step(struct cpu *cpu)
{
    struct insn insn = {.at = 0};
    fetch(cpu, &insn);
    decode_opcode(cpu, &insn);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(operations) && !insn.bad; i++) {
        if (insn.opcode < operations[i].first ||
            insn.opcode > operations[i].last)
            continue;
        if (operations[i].modrm)
            decode_modrm(cpu, &insn);
        bool followed = operations[i].run(cpu, &insn);
        cpu->ip += insn.at;
        return followed && !insn.bad;
    }
    return false;
}

/* Where is the field, going by x86 code? */
static bool
x86_offset(struct memctx_view *view, uint64_t gva,
           enum memctx_windows_getter getter, uint64_t *ret)
{
    struct cpu cpu = {
        .view = view, .word = memctx_view_pointer_size(view), .ip = gva};
    cpu.reg[RSP] = (struct value){STACK, 0};
    if (cpu.word == 8)
        cpu.reg[RCX] = (struct value){ARGUMENT, 0};
    for (int i = 0; i < STEPS_MAX && !cpu.returned; i++) {
        if (!step(&cpu))
            return false;
    }
    struct value result = cpu.reg[RAX];
    bool wanted = getter == MEMCTX_WINDOWS_GETS_VALUE ? result.kind == FIELD
                                                      : result.kind == ARGUMENT;
    *ret = (uint64_t)result.offset;
    return cpu.returned && wanted;
}

/* ---- aarch64 (Arm ARM C6.2) ---- */

#define ARM_RET UINT32_C(0xd65f03c0)

/* Those that do nothing here: BTI C, PACIBSP and other hints; and LDR
 * X0,[X0,#n], ADD X0,X0,#n, where a function begins with its argument in X0;
 * and B. */
#define ARM_HINT_MASK UINT32_C(0xfffff01f)
#define ARM_HINT UINT32_C(0xd503201f)
#define ARM_FIELD_MASK UINT32_C(0xffc003ff)
#define ARM_LOAD UINT32_C(0xf9400000)
#define ARM_ADD UINT32_C(0x91000000)
#define ARM_JUMP_MASK UINT32_C(0xfc000000)
#define ARM_JUMP UINT32_C(0x14000000)

/* The instruction behind hints and jumps at *gva, which is moved behind it. */
static bool
next_arm(struct memctx_view *view, uint64_t *gva, uint32_t *ret)
{
    for (int i = 0; i < STEPS_MAX; i++) {
        if (memctx_view_le32(view, *gva, ret, NULL) < 0)
            return false;
        bool jump = (*ret & ARM_JUMP_MASK) == ARM_JUMP;
        /* 26 bits, signed, in units of 4 bytes */
        *gva += jump ? (uint64_t)((int64_t)((uint64_t)*ret << 38) >> 36) : 4;
        if (!jump && (*ret & ARM_HINT_MASK) != ARM_HINT)
            return true;
    }
    return false;
}

static bool
arm_offset(struct memctx_view *view, uint64_t gva,
           enum memctx_windows_getter getter, uint64_t *ret)
{
    bool value = getter == MEMCTX_WINDOWS_GETS_VALUE;
    uint32_t field;
    uint32_t end;
    if (!next_arm(view, &gva, &field) || !next_arm(view, &gva, &end) ||
        (field & ARM_FIELD_MASK) != (value ? ARM_LOAD : ARM_ADD))
        return false;
    *ret = (field >> 10 & 0xfff) * (value ? 8 : 1);
    return end == ARM_RET;
}

bool
memctx_windows_code_offset(struct memctx_view *view, uint64_t gva,
                           enum memctx_windows_getter getter, uint16_t *ret)
{
    uint16_t machine = memctx_paging_format(view->paging)->arch->elf_machine;
    uint64_t offset;
    bool known = machine == EM_AARCH64 ? arm_offset(view, gva, getter, &offset)
                                       : x86_offset(view, gva, getter, &offset);
    if (!known || offset < OFFSET_MIN || offset > OFFSET_MAX)
        return false;
    *ret = (uint16_t)offset;
    return true;
}
