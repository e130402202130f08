// What the processor and the operating system allow, and the state that kernels expect of a thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace longra::cpu {

// Flush-to-zero for the calling thread (denormals cost hundreds of cycles); returns the old state.
uint32_t prepare_thread();
void restore_thread(uint32_t state);

// Instruction sets that kernels were built for and this machine can run, best first; "portable" is always last.
std::vector<std::string> usable();
// Names of the features found, for the doctor.
std::vector<std::string> features();

}  // namespace longra::cpu
