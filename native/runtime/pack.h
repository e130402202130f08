// Stored tensors (ggml's and IEEE types) into packed superblocks, keeping codes and scales.
#pragma once
#include <string>

#include "formats.h"
#include "pool.h"

namespace longra {

// The packed format that keeps a stored type's codes. Throws std::invalid_argument for a type that it does not know.
Format format_of(const std::string& kind);

// Pack rows x inputs weights of a stored type into `out` (Matrix::bytes of the format). Where the format is not the stored
// type's own, weights are made floats first and quantised anew. Throws std::range_error when a weight is too large.
void pack(const std::string& kind, const uint8_t* stored, size_t row_bytes, const Matrix& matrix, uint8_t* out, Pool& pool);

}  // namespace longra
