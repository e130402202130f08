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

}  // namespace longra
