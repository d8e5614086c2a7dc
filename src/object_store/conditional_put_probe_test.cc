#include "object_store/conditional_put_probe.h"

#include <gtest/gtest.h>

#include "object_store/memory/memory_object_store.h"
#include "testing/object_store_client.h"
#include "testing/scripted_object_store.h"
#include "testing/sim_runtime.h"

namespace strata {
namespace {

// Takes conditions and forgets them.
class OverwritingStore final : public ObjectStoreDecorator<OverwritingStore> {
 public:
  explicit OverwritingStore(std::shared_ptr<ObjectStore> store)
      : ObjectStoreDecorator(store), store_(store) {}

  template <typename T>
  void Run(StoreCall<T> call, Done<T> done) {
    if constexpr (std::is_same_v<T, Result<ObjectVersion>>) {
      store_->Put("probe", MakeStringSource("x"), {}, {}, std::move(done));
    } else {
      call.send({}, std::move(done));
    }
  }

 private:
  const std::shared_ptr<ObjectStore> store_;
};

class ConditionalPutProbeTest : public ::testing::Test {
 protected:
  Result<ConditionalPuts> Probe(std::shared_ptr<ObjectStore> store) {
    return Await<Result<ConditionalPuts>>(runtime_, [&](auto done) {
      ProbeConditionalPuts(store, "probe", {}, std::move(done));
    });
  }

  SimRuntime runtime_{1};
  const std::shared_ptr<ObjectStore> memory_ = MakeMemoryObjectStore(runtime_);
};

TEST_F(ConditionalPutProbeTest, StoreThatHonoursBothIsTold) {
  const auto found = Probe(memory_);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->if_absent);
  EXPECT_TRUE(found->if_version);
  EXPECT_TRUE(ObjectStoreClient(*memory_, runtime_).Keys().empty());
}

TEST_F(ConditionalPutProbeTest, StoreThatOverwritesIsFoundOut) {
  const auto found = Probe(std::make_shared<OverwritingStore>(memory_));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_FALSE(found->if_absent);
  EXPECT_FALSE(found->if_version);
}

TEST_F(ConditionalPutProbeTest, StoreThatRefusesTheQuestionHasNeither) {
  auto store = std::make_shared<ScriptedObjectStore>(memory_, runtime_);
  store->AnswerNext(Status::Ok(), Scripted::kDone);
  for (int i = 0; i < 2; ++i) {
    store->AnswerNext({StatusCode::kUnsupported, "not implemented"});
  }
  const auto found = Probe(store);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_FALSE(found->if_absent);
  EXPECT_FALSE(found->if_version);
}

TEST_F(ConditionalPutProbeTest, FailureIsAnswered) {
  auto store = std::make_shared<ScriptedObjectStore>(memory_, runtime_);
  store->AnswerNext(Status::Ok(), Scripted::kDone);
  store->AnswerNext({StatusCode::kUnavailable, "away"});
  EXPECT_EQ(Probe(store).status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace strata
