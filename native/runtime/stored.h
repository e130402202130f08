// Stored tensors (ggml's and IEEE types), read row by row.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "formats.h"

namespace longra {

enum class Kind { F64, F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS };

struct StoredType {
  const char* name;
  Kind kind;
  Format format;  // that keeps its codes
};

// Throws std::invalid_argument for a type that no kernel reads.
const StoredType& stored_type(const std::string& name);

inline bool is_float(Kind kind) { return kind == Kind::F64 || kind == Kind::F32 || kind == Kind::F16 || kind == Kind::BF16; }

// A row before it is packed: codes, and a scale and an offset for each group, w = (code - zero) * scale + offset.
struct Row {
  std::vector<uint8_t> codes;
  std::vector<float> scales, offsets;
};

// One stored row's blocks into codes, scales and offsets.
void read_row(Kind kind, const uint8_t* stored, int inputs, Row& row);
// One stored row of floats.
void read_floats(Kind kind, const uint8_t* stored, int inputs, float* x);

}  // namespace longra
