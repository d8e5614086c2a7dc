#include "cold/topics_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cold/object_names.h"
#include "object_store/memory/memory_object_store.h"
#include "testing/faulty_object_store.h"
#include "testing/object_store_client.h"
#include "testing/sim_runtime.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class TopicsObjectTest : public testing::Test {
 protected:
  static TopicCreated Topic(int byte, std::string name) {
    TopicCreated topic{.name = std::move(name), .partitions = 2};
    topic.id.bytes.fill(static_cast<std::byte>(byte));
    return topic;
  }
  Result<ColdTopics> Load() {
    return Await<Result<ColdTopics>>(runtime, [&](auto done) {
      LoadTopics(faulty, {.timeout = 1s, .cancel = {}}, std::move(done));
    });
  }
  Result<ColdTopics> Edit(ColdTopicsEdit edit) {
    return Await<Result<ColdTopics>>(runtime, [&](auto done) {
      EditTopics(faulty, std::move(edit), {.timeout = 1s, .cancel = {}},
                 std::move(done));
    });
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    const Result<ColdTopics> topics = Load();
    EXPECT_TRUE(topics.ok()) << topics.status();
    if (!topics.ok()) return names;
    for (const TopicCreated& topic : topics->topics) {
      names.push_back(topic.name);
    }
    return names;
  }

  SimRuntime runtime{5};
  std::shared_ptr<ObjectStore> memory = MakeMemoryObjectStore(runtime);
  std::shared_ptr<FaultyObjectStore> faulty =
      std::make_shared<FaultyObjectStore>(memory, runtime, 5);
  ObjectStoreClient bucket{*memory, runtime};
};

TEST_F(TopicsObjectTest, AbsentIsEmpty) {
  const Result<ColdTopics> topics = Load();
  ASSERT_TRUE(topics.ok()) << topics.status();
  EXPECT_EQ(topics->generation, 0u);
  // Nothing to take away: nothing is written.
  ASSERT_TRUE(Edit({.put = {}, .remove = {Topic(1, "a").id}}).ok());
  EXPECT_THAT(bucket.Keys(), IsEmpty());
}

TEST_F(TopicsObjectTest, TopicsComeChangeAndGo) {
  ASSERT_TRUE(Edit({.put = {Topic(1, "a"), Topic(2, "b")}, .remove = {}}).ok());
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
  TopicCreated changed = Topic(1, "a");
  changed.partitions = 5;
  const Result<ColdTopics> now =
      Edit({.put = {changed, Topic(3, "c")}, .remove = {Topic(2, "b").id}});
  ASSERT_TRUE(now.ok()) << now.status();
  EXPECT_EQ(now->generation, 2u);
  EXPECT_EQ(now->Find(changed.id)->partitions, 5u);
  EXPECT_THAT(Names(), ElementsAre("a", "c"));
  EXPECT_THAT(bucket.Keys(), ElementsAre(TopicsKey()));
}

TEST_F(TopicsObjectTest, EditThatIsThereIsNotWrittenAgain) {
  const ColdTopicsEdit edit{.put = {Topic(1, "a")}, .remove = {}};
  ASSERT_TRUE(Edit(edit).ok());
  ASSERT_TRUE(Edit(edit).ok());
  EXPECT_EQ(Load()->generation, 1u);
}

TEST_F(TopicsObjectTest, UnknownOutcomesAndConflictsEndInOneEdit) {
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnknownDone);
  ASSERT_TRUE(Edit({.put = {Topic(1, "a")}, .remove = {}}).ok());
  EXPECT_EQ(Load()->generation, 1u);
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnknownUndone);
  ASSERT_TRUE(Edit({.put = {Topic(2, "b")}, .remove = {}}).ok());
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
}

// Two stores that share a bucket.
TEST_F(TopicsObjectTest, TwoWritersLoseNoTopicOfEachOther) {
  int done = 0;
  for (int n = 0; n < 8; ++n) {
    EditTopics(
        faulty, {.put = {Topic(n, std::string(1, 'a' + n))}, .remove = {}},
        {.timeout = 1s, .cancel = {}}, [&](const Result<ColdTopics>& topics) {
          EXPECT_TRUE(topics.ok()) << topics.status();
          ++done;
        });
  }
  runtime.RunUntilIdle();
  EXPECT_EQ(done, 8);
  EXPECT_EQ(Names().size(), 8u);
}

TEST_F(TopicsObjectTest, AwayAndDamagedAreToldWithTheKey) {
  ASSERT_TRUE(Edit({.put = {Topic(1, "a")}, .remove = {}}).ok());
  faulty->SetAway(true);
  EXPECT_EQ(Edit({.put = {Topic(2, "b")}, .remove = {}}).status().code(),
            StatusCode::kUnavailable);
  faulty->SetAway(false);
  std::string bytes = *bucket.Get(TopicsKey());
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  ASSERT_TRUE(bucket.Put(TopicsKey(), bytes).ok());
  const Status status = Edit({.put = {Topic(2, "b")}, .remove = {}}).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("object store/topics"));
  EXPECT_EQ(*bucket.Get(TopicsKey()), bytes) << "nothing is written over it";
}

}  // namespace
}  // namespace strata
