// UniqueFunction: a move-only std::function with 64 bytes of room inside, so
// that the continuations of an append cost no allocation. Thread-compatible.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace strata {

template <typename Signature>
class UniqueFunction;

template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  UniqueFunction(std::nullptr_t) {}  // NOLINT

  template <typename F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
             std::is_invocable_r_v<R, std::remove_cvref_t<F>&, Args...>)
  UniqueFunction(F&& f) {  // NOLINT
    using Target = std::remove_cvref_t<F>;
    if constexpr (sizeof(Target) <= kInlineBytes &&
                  alignof(Target) <= alignof(std::max_align_t) &&
                  std::is_nothrow_move_constructible_v<Target>) {
      new (&storage_) Target(std::forward<F>(f));
      ops_ = &InlineOps<Target>::kOps;
    } else {
      new (&storage_) Target*(new Target(std::forward<F>(f)));
      ops_ = &HeapOps<Target>::kOps;
    }
  }

  UniqueFunction(UniqueFunction&& other) noexcept { TakeFrom(other); }
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this != &other) {
      Reset();
      TakeFrom(other);
    }
    return *this;
  }
  ~UniqueFunction() { Reset(); }

  explicit operator bool() const { return ops_ != nullptr; }

  R operator()(Args... args) {
    STRATA_CHECK(ops_ != nullptr);
    return ops_->call(&storage_, std::forward<Args>(args)...);
  }

 private:
  static constexpr size_t kInlineBytes = 64;

  struct Ops {
    R (*call)(void* self, Args&&... args);
    void (*move)(void* from, void* to) noexcept;
    void (*destroy)(void* self) noexcept;
  };

  template <typename T>
  struct InlineOps {
    static R Call(void* self, Args&&... args) {
      return (*static_cast<T*>(self))(std::forward<Args>(args)...);
    }
    static void Move(void* from, void* to) noexcept {
      new (to) T(std::move(*static_cast<T*>(from)));
      static_cast<T*>(from)->~T();
    }
    static void Destroy(void* self) noexcept { static_cast<T*>(self)->~T(); }
    static constexpr Ops kOps{&Call, &Move, &Destroy};
  };

  template <typename T>
  struct HeapOps {
    static R Call(void* self, Args&&... args) {
      return (**static_cast<T**>(self))(std::forward<Args>(args)...);
    }
    static void Move(void* from, void* to) noexcept {
      new (to) T*(*static_cast<T**>(from));
    }
    static void Destroy(void* self) noexcept { delete *static_cast<T**>(self); }
    static constexpr Ops kOps{&Call, &Move, &Destroy};
  };

  void TakeFrom(UniqueFunction& other) noexcept {
    ops_ = std::exchange(other.ops_, nullptr);
    if (ops_ != nullptr) ops_->move(&other.storage_, &storage_);
  }
  void Reset() noexcept {
    if (ops_ != nullptr) std::exchange(ops_, nullptr)->destroy(&storage_);
  }

  const Ops* ops_ = nullptr;
  alignas(std::max_align_t) std::byte storage_[kInlineBytes];
};

}  // namespace strata
