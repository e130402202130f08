// A fixed set of threads that run one function together. They spin between steps for a short while, then sleep.
#pragma once
#include <atomic>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

namespace longra {

class Pool {
 public:
  explicit Pool(int threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  int threads() const { return threads_; }

  // Run job(context, thread) on every thread; the caller is thread 0. Returns when all have returned.
  void run(void (*job)(void*, int), void* context);
  template <class F>
  void run(F&& f) {
    run([](void* c, int t) { (*static_cast<std::remove_reference_t<F>*>(c))(t); }, &f);
  }
  // Wait, inside a job, until every thread is here.
  void barrier();

 private:
  void work(int thread);

  int threads_;
  void (*job_)(void*, int) = nullptr;
  void* context_ = nullptr;
  bool stop_ = false;
  alignas(128) std::atomic<uint32_t> generation_{0};
  alignas(128) std::atomic<int> running_{0};
  alignas(128) std::atomic<int> arrived_{0};
  alignas(128) std::atomic<uint32_t> passed_{0};
  std::vector<std::thread> workers_;
};

// The share [begin, end) of thread t when n things are dealt out in order, as evenly as they go.
struct Share {
  int begin, end;
};
inline Share share(int n, int thread, int threads) {
  return {static_cast<int>((int64_t)n * thread / threads), static_cast<int>((int64_t)n * (thread + 1) / threads)};
}

// n things for threads to take as they come to them, so that a thread whose core is slow or shared takes fewer. Every thread asks
// until there are no more; then the count starts anew.
class Deal {
 public:
  Deal(std::atomic<int>& taken, int n, int thread, int threads) : taken_(taken), n_(n), thread_(thread), threads_(threads) {}
  // The next one, or -1.
  int next() {
    const int i = taken_.fetch_add(1, std::memory_order_relaxed);
    if (i < n_) return i;
    if (i == n_ + threads_ - 1) taken_.store(0, std::memory_order_relaxed);  // the last thread that asked in vain
    return -1;
  }
  // The even share, for those who would rather not ask.
  Share own() const { return share(n_, thread_, threads_); }

 private:
  std::atomic<int>& taken_;
  int n_, thread_, threads_;
};

}  // namespace longra
