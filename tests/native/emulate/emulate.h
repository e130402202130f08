// Included before every kernel file of an emulated build: the intrinsics, and the macros by which kernels choose their code.
#pragma once
#include "amx.h"

#define __AVX512F__ 1
#define __AVX512BW__ 1
#define __AVX512DQ__ 1
#define __AVX512VL__ 1
#define __AVX512VNNI__ 1
#if defined(LONGRA_EMULATE_BF16) || defined(LONGRA_EMULATE_AMX)
#define __AVX512VBMI__ 1
#define __AVX512BF16__ 1
#endif
#if defined(LONGRA_EMULATE_AMX)
#define __AVX512FP16__ 1
#define __AMX_TILE__ 1
#define __AMX_INT8__ 1
#define __AMX_BF16__ 1
#endif
