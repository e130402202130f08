#include "pool.h"

#include "cpu.h"

namespace longra {

namespace {

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// Spin while a neighbour is surely running; give the core away once it may not be.
template <class Done>
void spin(Done done) {
  for (int i = 0; !done(); i++) {
    if (i < 4000)
      pause();
    else
      std::this_thread::yield();
  }
}

// A pause takes about 45 ns on the machines measured: 2 ms covers the sampling between two steps.
constexpr int kSpinsBeforeSleep = 40000;

}  // namespace

Pool::Pool(int threads) : threads_(threads) {
  for (int t = 1; t < threads; t++) workers_.emplace_back([this, t] { work(t); });
}

Pool::~Pool() {
  stop_ = true;
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (auto& w : workers_) w.join();
}

void Pool::work(int thread) {
  cpu::prepare_thread();
  uint32_t seen = 0;
  for (;;) {
    for (int i = 0; i < kSpinsBeforeSleep && generation_.load(std::memory_order_acquire) == seen; i++) pause();
    generation_.wait(seen, std::memory_order_acquire);
    seen++;
    if (stop_) return;
    job_(context_, thread);
    running_.fetch_sub(1, std::memory_order_release);
  }
}

void Pool::run(void (*job)(void*, int), void* context) {
  const auto saved = cpu::prepare_thread();
  job_ = job;
  context_ = context;
  running_.store(threads_ - 1, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  job(context, 0);
  spin([&] { return running_.load(std::memory_order_acquire) == 0; });
  cpu::restore_thread(saved);
}

void Pool::barrier() {
  if (threads_ == 1) return;
  const uint32_t pass = passed_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) == threads_ - 1) {
    arrived_.store(0, std::memory_order_relaxed);
    passed_.store(pass + 1, std::memory_order_release);
    return;
  }
  spin([&] { return passed_.load(std::memory_order_acquire) != pass; });
}

}  // namespace longra
