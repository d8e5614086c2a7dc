#include "object_store/host_object_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "object_store/memory/memory_object_store.h"
#include "runtime/thread_runtime.h"
#include "testing/late_object_store.h"
#include "testing/sim_runtime.h"

namespace strata {
namespace {

// The host's store has threads of its own; the engine's runtime is simulated,
// so that its tasks run when the test says.
class HostObjectStoreTest : public ::testing::Test {
 protected:
  static constexpr std::string_view kText = "some bytes";

  void PutAndAwait() {
    bool answered = false;
    late_->Hold(StoreOp::kPut, "");
    store_.Put("key", MakeStringSource(std::string(kText)), {}, {},
               [&](const Result<ObjectVersion>& put) { answered = put.ok(); });
    late_->Release();
    EXPECT_FALSE(answered) << "inside the host's answer";
    engine_runtime_.RunUntilIdle();
    EXPECT_TRUE(answered);
  }

  // A Get that is held back, of whose continuation `alive` is a part.
  void StartGet(std::shared_ptr<std::string> out, std::shared_ptr<int> alive,
                bool& answered) {
    late_->Hold(StoreOp::kGet, "");
    const auto bytes =
        std::as_writable_bytes(std::span(out->data(), out->size()));
    store_.Get("key", 0, bytes,
               {.timeout = {}, .cancel = {}, .memory = std::move(out)},
               [alive = std::move(alive), &answered](const Result<size_t>&) {
                 answered = true;
               });
  }

  SimRuntime engine_runtime_{1};
  const std::unique_ptr<Runtime> host_runtime_ = MakeThreadRuntime();
  const std::shared_ptr<LateObjectStore> late_ =
      std::make_shared<LateObjectStore>(MakeMemoryObjectStore(*host_runtime_));
  HostObjectStore store_{late_, engine_runtime_.cold_executor()};
};

TEST_F(HostObjectStoreTest, AnswersRunOnTheExecutor) { PutAndAwait(); }

TEST_F(HostObjectStoreTest, CloseDestroysTheContinuationsOfWhatIsUnderWay) {
  PutAndAwait();
  auto alive = std::make_shared<int>();
  const std::weak_ptr<int> watched = alive;
  bool answered = false;
  StartGet(std::make_shared<std::string>(kText.size(), '\0'), std::move(alive),
           answered);
  EXPECT_FALSE(watched.expired());
  store_.Close();
  EXPECT_TRUE(watched.expired());
  late_->Release();
  engine_runtime_.RunUntilIdle();
  EXPECT_FALSE(answered);
}

TEST_F(HostObjectStoreTest, MemoryOfAGetLivesUntilTheHostIsDoneWithIt) {
  PutAndAwait();
  auto out = std::make_shared<std::string>(kText.size(), '\0');
  const std::weak_ptr<std::string> watched = out;
  bool answered = false;
  StartGet(std::move(out), nullptr, answered);
  store_.Close();
  out = watched.lock();
  ASSERT_NE(out, nullptr);
  late_->Release();
  EXPECT_EQ(*out, kText);
  out.reset();
  EXPECT_TRUE(watched.expired());
}

TEST_F(HostObjectStoreTest, RequestAfterCloseDoesNotReachTheHost) {
  store_.Close();
  bool answered = false;
  auto alive = std::make_shared<int>();
  const std::weak_ptr<int> watched = alive;
  store_.Put("key", MakeStringSource("x"), {}, {},
             [alive = std::move(alive),
              &answered](const Result<ObjectVersion>&) { answered = true; });
  EXPECT_TRUE(watched.expired());
  engine_runtime_.RunUntilIdle();
  EXPECT_FALSE(answered);
  bool found = true;
  late_->Hold(StoreOp::kHead, "");
  late_->Head("key", {}, [&](const Result<ObjectInfo>& info) {
    found = info.status().code() != StatusCode::kNotFound;
  });
  late_->Release();
  EXPECT_FALSE(found);
}

}  // namespace
}  // namespace strata
