// The contract of ObjectStore as a test suite for any back end. Include it in
// one test file and name the back ends:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreContract,
//                            testing::Values(ObjectStoreBackend{...}));
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/runtime.h"
#include "strata/object_store.h"
#include "testing/object_store_client.h"

namespace strata {

// An empty store and the runtime that it runs on. Owned by one thread.
struct ObjectStoreWorld {
  std::shared_ptr<void> keep_alive;  // goes last
  std::shared_ptr<Runtime> runtime;
  std::shared_ptr<ObjectStore> store;
  // The store's requests end before what they use goes.
  ~ObjectStoreWorld() {
    store.reset();
    runtime.reset();
  }
};

struct ObjectStoreBackend {
  std::string name;
  std::function<std::unique_ptr<ObjectStoreWorld>()> make;
  // Azurite answers 500 to a list in which XML cannot hold a key.
  bool lists_control_characters = true;

  friend std::ostream& operator<<(std::ostream& out,
                                  const ObjectStoreBackend& backend) {
    return out << backend.name;
  }
};

class ObjectStoreContract : public testing::TestWithParam<ObjectStoreBackend> {
 protected:
  using Keys = std::vector<std::string>;

  void PutAll(const Keys& keys) {
    for (const std::string& key : keys) {
      const auto put = client.Put(key, key);
      ASSERT_TRUE(put.ok()) << put.status();
    }
  }

  const std::unique_ptr<ObjectStoreWorld> world = GetParam().make();
  ObjectStore& store = *world->store;
  Runtime& runtime = *world->runtime;
  ObjectStoreClient client{store, runtime};
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ObjectStoreContract);

TEST_P(ObjectStoreContract, WhatIsPutIsGot) {
  ASSERT_TRUE(client.Put("a/b", "hello").ok());
  EXPECT_EQ(*client.Get("a/b"), "hello");
}

TEST_P(ObjectStoreContract, LargeObjectComesBackWhole) {
  std::string bytes(3'500'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 7 + i / 251);
  }
  ASSERT_TRUE(client.Put("large", bytes).ok());
  EXPECT_EQ(client.Head("large")->size_bytes, bytes.size());
  EXPECT_TRUE(*client.Get("large", 0, bytes.size()) == bytes);
}

TEST_P(ObjectStoreContract, EmptyObjectExists) {
  ASSERT_TRUE(client.Put("empty", "").ok());
  EXPECT_EQ(client.Head("empty")->size_bytes, 0u);
  EXPECT_EQ(client.Get("empty").status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(*client.Get("empty", 0, 0), "");
}

TEST_P(ObjectStoreContract, SourceThatIsNotContiguousIsStoredWhole) {
  struct Source final : ObjectSource {
    uint64_t size() const override { return 2'100'000; }
    Status ReadAt(uint64_t position, std::span<std::byte> out) override {
      for (size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<std::byte>((position + i) / 1000);
      }
      return Status::Ok();
    }
  };
  const auto put = Await<Result<ObjectVersion>>(runtime, [&](auto done) {
    store.Put("key", std::make_shared<Source>(), PutPrecondition::None(), {},
              std::move(done));
  });
  ASSERT_TRUE(put.ok()) << put.status();
  const std::string bytes = *client.Get("key", 0, 3'000'000);
  ASSERT_EQ(bytes.size(), 2'100'000u);
  for (size_t i = 0; i < bytes.size(); i += 997) {
    ASSERT_EQ(bytes[i], static_cast<char>(i / 1000)) << i;
  }
}

TEST_P(ObjectStoreContract, SourceThatFailsChangesNothing) {
  struct Source final : ObjectSource {
    uint64_t size() const override { return 10; }
    Status ReadAt(uint64_t, std::span<std::byte>) override {
      return {StatusCode::kDataLoss, "source is damaged"};
    }
  };
  ASSERT_TRUE(client.Put("key", "old").ok());
  const auto put = Await<Result<ObjectVersion>>(runtime, [&](auto done) {
    store.Put("key", std::make_shared<Source>(), PutPrecondition::None(), {},
              std::move(done));
  });
  EXPECT_EQ(put.status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(*client.Get("key"), "old");
  EXPECT_EQ(client.Keys(), Keys{"key"});
}

TEST_P(ObjectStoreContract, RangeIsGot) {
  ASSERT_TRUE(client.Put("key", "0123456789").ok());
  EXPECT_EQ(*client.Get("key", 0, 3), "012");
  EXPECT_EQ(*client.Get("key", 4, 3), "456");
  EXPECT_EQ(*client.Get("key", 9, 1), "9");
}

TEST_P(ObjectStoreContract, RangePastTheEndIsCut) {
  ASSERT_TRUE(client.Put("key", "0123456789").ok());
  EXPECT_EQ(*client.Get("key", 7, 100), "789");
}

TEST_P(ObjectStoreContract, RangeBehindTheEndIsOutOfRange) {
  ASSERT_TRUE(client.Put("key", "0123456789").ok());
  EXPECT_EQ(client.Get("key", 10, 1).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(client.Get("key", 1'000'000, 1).status().code(),
            StatusCode::kOutOfRange);
}

TEST_P(ObjectStoreContract, AbsentKeyIsNotFound) {
  ASSERT_TRUE(client.Put("dir/key", "x").ok());
  for (const char* key : {"absent", "dir", "dir/other", "dir/key/below"}) {
    EXPECT_EQ(client.Get(key).status().code(), StatusCode::kNotFound) << key;
    EXPECT_EQ(client.Head(key).status().code(), StatusCode::kNotFound) << key;
  }
}

TEST_P(ObjectStoreContract, HeadTellsSizeAndVersion) {
  const auto version = client.Put("key", "12345");
  ASSERT_TRUE(version.ok());
  const auto info = client.Head("key");
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->key, "key");
  EXPECT_EQ(info->size_bytes, 5u);
  EXPECT_EQ(info->version, *version);
}

TEST_P(ObjectStoreContract, PutReplacesAndChangesTheVersion) {
  const auto first = client.Put("key", "one");
  const auto second = client.Put("key", "two");
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(*first, *second);
  EXPECT_EQ(*client.Get("key"), "two");
}

TEST_P(ObjectStoreContract, DeletedKeyIsGone) {
  ASSERT_TRUE(client.Put("a/b/c", "x").ok());
  EXPECT_EQ(client.Delete("a/b/c"), Status::Ok());
  EXPECT_EQ(client.Head("a/b/c").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(client.Keys(), Keys{});
}

TEST_P(ObjectStoreContract, DeleteOfAnAbsentKeyIsOk) {
  ASSERT_TRUE(client.Put("dir/key", "x").ok());
  EXPECT_EQ(client.Delete("absent"), Status::Ok());
  EXPECT_EQ(client.Delete("dir"), Status::Ok());
  EXPECT_EQ(client.Delete("dir/key/below"), Status::Ok());
  EXPECT_EQ(*client.Get("dir/key"), "x");
}

TEST_P(ObjectStoreContract, D08ListHonoursItsPrefix) {
  PutAll({"a/1", "a/2", "ab/1", "b/1", "topics/x", "topics-old"});
  EXPECT_EQ(client.Keys("a/"), (Keys{"a/1", "a/2"}));
  EXPECT_EQ(client.Keys("a"), (Keys{"a/1", "a/2", "ab/1"}));
  EXPECT_EQ(client.Keys("a/2"), Keys{"a/2"});
  EXPECT_EQ(client.Keys("topics"), (Keys{"topics-old", "topics/x"}));
  EXPECT_EQ(client.Keys("top"), (Keys{"topics-old", "topics/x"}));
  EXPECT_EQ(client.Keys("absent/"), Keys{});
  EXPECT_EQ(client.Keys("a/1/"), Keys{});
}

TEST_P(ObjectStoreContract, ListIsInByteOrderOfWholeKeys) {
  // '-' and '.' sort before '/', digits and letters after it.
  const Keys keys{"a-b",   "a.b", "a/b", "a/b.c/d", "a/c-/e",
                  "a/c/d", "a0",  "b",   "\xc3\xa4"};
  PutAll(Keys(keys.rbegin(), keys.rend()));
  EXPECT_EQ(client.Keys(), keys);
}

TEST_P(ObjectStoreContract, ListPagesWithoutLossOrRepeat) {
  Keys keys;
  for (char a = 'a'; a < 'f'; ++a) {
    for (char b = '0'; b < '5'; ++b) {
      keys.push_back(std::string{a, '/', b});
      keys.push_back(std::string{a, '/', b, '-', 'x', '/', 'y'});
    }
  }
  PutAll(keys);
  std::sort(keys.begin(), keys.end());
  for (size_t limit : {1, 2, 3, 7, 49, 50, 51, 1000}) {
    EXPECT_EQ(client.Keys("", limit), keys) << limit;
  }
  EXPECT_FALSE(client.List("", "", 50)->more);
  EXPECT_TRUE(client.List("", "", 49)->more);
}

TEST_P(ObjectStoreContract, ListGoesOnAfterAnyKey) {
  PutAll({"b/1", "b/3", "d"});
  const auto after = [&](const char* key) {
    Keys keys;
    const auto page = client.List("", key, 10);
    for (const ObjectInfo& object : page->objects) keys.push_back(object.key);
    return keys;
  };
  EXPECT_EQ(after("a"), (Keys{"b/1", "b/3", "d"}));
  EXPECT_EQ(after("b"), (Keys{"b/1", "b/3", "d"}));
  EXPECT_EQ(after("b/1"), (Keys{"b/3", "d"}));
  EXPECT_EQ(after("b/2"), (Keys{"b/3", "d"}));
  EXPECT_EQ(after("b/9"), Keys{"d"});
  EXPECT_EQ(after("c/x"), Keys{"d"});
  EXPECT_EQ(after("d"), Keys{});
}

TEST_P(ObjectStoreContract, ListTellsSizeAndVersion) {
  const auto version = client.Put("key", "12345");
  const auto page = client.List("", "", 10);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].size_bytes, 5u);
  EXPECT_EQ(page->objects[0].version, *version);
}

TEST_P(ObjectStoreContract, ListLimitOutOfRangeIsRefused) {
  for (size_t limit : {0, 1001}) {
    EXPECT_EQ(client.List("", "", limit).status().code(),
              StatusCode::kInvalidArgument);
  }
}

TEST_P(ObjectStoreContract, PutIfAbsentKeepsWhatIsThere) {
  if (!store.Capabilities().put_if_absent) GTEST_SKIP();
  ASSERT_TRUE(client.Put("key", "first", PutPrecondition::Absent()).ok());
  EXPECT_EQ(
      client.Put("key", "second", PutPrecondition::Absent()).status().code(),
      StatusCode::kConflict);
  EXPECT_EQ(*client.Get("key"), "first");
  EXPECT_EQ(client.Keys(), Keys{"key"});
}

TEST_P(ObjectStoreContract, OneOfManyConcurrentCreatorsWins) {
  if (!store.Capabilities().put_if_absent) GTEST_SKIP();
  struct Race {
    std::atomic<int> won{0}, lost{0}, pending{8};
    std::unique_ptr<Event> over;
  };
  auto race = std::make_shared<Race>();
  race->over = runtime.NewEvent();
  for (int i = 0; i < 8; ++i) {
    store.Put("key", MakeStringSource(std::to_string(i)),
              PutPrecondition::Absent(), {},
              [race](Result<ObjectVersion> version) {
                if (version.ok()) ++race->won;
                if (version.status().code() == StatusCode::kConflict) {
                  ++race->lost;
                }
                if (--race->pending == 0) race->over->Set();
              });
  }
  race->over->WaitUntil(std::nullopt);
  EXPECT_EQ(race->won, 1);
  EXPECT_EQ(race->lost, 7);
}

TEST_P(ObjectStoreContract, OneOfManyConcurrentReplacersWins) {
  if (!store.Capabilities().put_if_version) GTEST_SKIP();
  const auto version = client.Put("key", "old");
  ASSERT_TRUE(version.ok());
  struct Race {
    std::atomic<int> won{0}, pending{8};
    std::unique_ptr<Event> over;
  };
  auto race = std::make_shared<Race>();
  race->over = runtime.NewEvent();
  for (int i = 0; i < 8; ++i) {
    store.Put("key", MakeStringSource(std::to_string(i)),
              PutPrecondition::IfVersion(*version), {},
              [race](Result<ObjectVersion> put) {
                if (put.ok()) ++race->won;
                if (--race->pending == 0) race->over->Set();
              });
  }
  race->over->WaitUntil(std::nullopt);
  EXPECT_EQ(race->won, 1);
}

TEST_P(ObjectStoreContract, PutIfVersionReplacesThatVersionOnly) {
  if (!store.Capabilities().put_if_version) GTEST_SKIP();
  const auto first = client.Put("key", "one");
  ASSERT_TRUE(first.ok());
  const auto second =
      client.Put("key", "two", PutPrecondition::IfVersion(*first));
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE(*second, *first);
  EXPECT_EQ(client.Put("key", "three", PutPrecondition::IfVersion(*first))
                .status()
                .code(),
            StatusCode::kConflict);
  EXPECT_EQ(*client.Get("key"), "two");
}

TEST_P(ObjectStoreContract, VersionOfAPutIfAbsentIsGoodForTheNextPut) {
  if (!store.Capabilities().put_if_version) GTEST_SKIP();
  const auto first = client.Put("key", "one", PutPrecondition::Absent());
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(client.Head("key")->version, *first);
  EXPECT_TRUE(
      client.Put("key", "two", PutPrecondition::IfVersion(*first)).ok());
}

TEST_P(ObjectStoreContract, PutIfVersionOfAnAbsentKeyConflicts) {
  if (!store.Capabilities().put_if_version) GTEST_SKIP();
  const auto version = client.Put("key", "one");
  ASSERT_EQ(client.Delete("key"), Status::Ok());
  EXPECT_EQ(client.Put("key", "two", PutPrecondition::IfVersion(*version))
                .status()
                .code(),
            StatusCode::kConflict);
  EXPECT_EQ(client.Keys(), Keys{});
}

TEST_P(ObjectStoreContract, CancelledBeforeItBeginsChangesNothing) {
  std::stop_source stop;
  stop.request_stop();
  client.request.cancel = stop.get_token();
  EXPECT_EQ(client.Put("key", "x").status().code(), StatusCode::kCancelled);
  EXPECT_EQ(client.Get("key").status().code(), StatusCode::kCancelled);
  EXPECT_EQ(client.List("", "", 1).status().code(), StatusCode::kCancelled);
  client.request.cancel = {};
  EXPECT_EQ(client.Keys(), Keys{});
}

TEST_P(ObjectStoreContract, BadKeysAreRefused) {
  const std::string long_key(1025, 'k');
  const std::vector<std::string> bad{"",
                                     "/",
                                     "/a",
                                     "a/",
                                     "a//b",
                                     ".",
                                     "..",
                                     "a/..",
                                     "../a",
                                     "a/./b",
                                     "a\\b",
                                     "\xff",
                                     long_key,
                                     "\xc0\xaf",
                                     "\xed\xa0\x80",
                                     "\xe0\x80\xaf",
                                     "\xf4\x90\x80\x80",
                                     "cut\xc3",
                                     std::string("a\0b", 3)};
  for (const std::string& key : bad) {
    EXPECT_EQ(client.Put(key, "x").status().code(),
              StatusCode::kInvalidArgument)
        << key;
    EXPECT_EQ(client.Get(key).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(client.Head(key).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(client.Delete(key).code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(client.Keys(), Keys{});
}

TEST_P(ObjectStoreContract, D11HarmlessKeysAreAccepted) {
  const Keys keys{"...", "..a/b",  "\xc3\xa4\xf0\x9f\x98\x80",
                  "a b", "a..b/c", "v1..v2"};
  for (const std::string& key : keys) {
    const auto put = client.Put(key, key);
    EXPECT_TRUE(put.ok()) << put.status();
    EXPECT_EQ(*client.Get(key), key);
  }
}

TEST_P(ObjectStoreContract, CharactersThatUrlsEncodeAreKept) {
  // In byte order.
  Keys keys{"q\x01\x7f",   "q !\"#$%&'()*+,",   "q%2Fx",  "q&a=b?c#d",
            "q+plus plus", "q:;<=>?@[]^_`{|}~", "q~~/..."};
  if (!GetParam().lists_control_characters) keys.erase(keys.begin());
  PutAll(keys);
  for (const std::string& key : keys) EXPECT_EQ(*client.Get(key), key);
  EXPECT_EQ(client.Keys(), keys);
  EXPECT_EQ(client.Keys("q%"), Keys{"q%2Fx"});
  EXPECT_EQ(client.Keys("q", 2), keys);
  for (const std::string& key : keys) EXPECT_EQ(client.Delete(key), Status());
  EXPECT_EQ(client.Keys(), Keys{});
}

TEST_P(ObjectStoreContract, ObjectAboveTheMultipartLimitComesBackWhole) {
  const uint64_t limit = store.Capabilities().multipart_above_bytes;
  std::string bytes((limit > 0 ? limit : 1'000'000) + 1'234'567, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 31 + i / 65'537);
  }
  const auto version = client.Put("large", bytes);
  ASSERT_TRUE(version.ok()) << version.status();
  const auto info = client.Head("large");
  EXPECT_EQ(info->size_bytes, bytes.size());
  EXPECT_EQ(info->version, *version);
  EXPECT_TRUE(*client.Get("large", 0, bytes.size()) == bytes);
  const size_t border = bytes.size() - 1'300'000;
  EXPECT_TRUE(*client.Get("large", border, 100'000) ==
              bytes.substr(border, 100'000));
  if (!store.Capabilities().put_if_version) return;
  // Conditions hold for large objects, too.
  bytes[0] ^= 1;
  EXPECT_EQ(
      client.Put("large", bytes, PutPrecondition::Absent()).status().code(),
      StatusCode::kConflict);
  const auto second =
      client.Put("large", bytes, PutPrecondition::IfVersion(*version));
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE(*second, *version);
  EXPECT_TRUE(*client.Get("large", 0, bytes.size()) == bytes);
}

TEST_P(ObjectStoreContract, SourceThatFailsLateInALargeObjectChangesNothing) {
  struct Source final : ObjectSource {
    explicit Source(uint64_t n) : bytes(n) {}
    uint64_t size() const override { return bytes; }
    Status ReadAt(uint64_t position, std::span<std::byte> out) override {
      if (position + out.size() == bytes) {
        return {StatusCode::kDataLoss, "source is damaged"};
      }
      std::fill(out.begin(), out.end(), std::byte{1});
      return Status::Ok();
    }
    const uint64_t bytes;
  };
  const uint64_t size = store.Capabilities().multipart_above_bytes + 3'000'000;
  const auto put = Await<Result<ObjectVersion>>(runtime, [&](auto done) {
    store.Put("key", std::make_shared<Source>(size), PutPrecondition::None(),
              {}, std::move(done));
  });
  EXPECT_EQ(put.status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(client.Keys(), Keys{});
}

TEST_P(ObjectStoreContract, ReadersOfAReplacedObjectSeeOneOfItsContents) {
  const std::string contents[] = {std::string(200'000, 'a'),
                                  std::string(200'000, 'b')};
  ASSERT_TRUE(client.Put("key", contents[0]).ok());
  struct Reads {
    std::atomic<int> pending{12}, mixed{0};
    std::unique_ptr<Event> over;
    std::vector<std::string> bytes;
  };
  auto reads = std::make_shared<Reads>();
  reads->over = runtime.NewEvent();
  reads->bytes.assign(12, std::string(200'000, '?'));
  for (int i = 0; i < 12; ++i) {
    std::string& out = reads->bytes[static_cast<size_t>(i)];
    store.Get("key", 0, std::as_writable_bytes(std::span(out)), {},
              [reads, &out](const Result<size_t>& got) {
                // A server may lose such a race, and say so.
                const StatusCode code = got.status().code();
                EXPECT_TRUE(got.ok() || code == StatusCode::kUnavailable)
                    << got.status();
                if (!got.ok()) out.assign(out.size(), '?');
                if (out != std::string(200'000, out[0])) ++reads->mixed;
                if (--reads->pending == 0) reads->over->Set();
              });
    if (i % 4 == 1) {
      ASSERT_TRUE(client.Put("key", contents[i % 8 / 4]).ok());
    }
  }
  reads->over->WaitUntil(std::nullopt);
  EXPECT_EQ(reads->mixed, 0);
}

TEST_P(ObjectStoreContract, ManyRequestsAtOnceAreAllAnswered) {
  struct Puts {
    std::atomic<int> pending{300}, failed{0};
    std::unique_ptr<Event> over;
  };
  auto puts = std::make_shared<Puts>();
  puts->over = runtime.NewEvent();
  for (int i = 0; i < 300; ++i) {
    store.Put("many/" + std::to_string(1000 + i),
              MakeStringSource(std::to_string(i)), PutPrecondition::None(), {},
              [puts](const Result<ObjectVersion>& put) {
                if (!put.ok()) ++puts->failed;
                if (--puts->pending == 0) puts->over->Set();
              });
  }
  puts->over->WaitUntil(std::nullopt);
  EXPECT_EQ(puts->failed, 0);
  const Keys keys = client.Keys("many/", 77);
  ASSERT_EQ(keys.size(), 300u);
  EXPECT_EQ(*client.Get(keys[123]), "123");
}

// Whether this thread is inside a call to the store.
inline thread_local bool inside_store_call = false;

// `done` of a request must not run inside the call, whatever comes of it.
TEST_P(ObjectStoreContract, AnswersNeverInsideTheCall) {
  const auto outside = [](auto done) {
    return [done](auto answer) {
      EXPECT_FALSE(inside_store_call);
      done(std::move(answer));
    };
  };
  const auto calling = [](auto call) {
    inside_store_call = true;
    call();
    inside_store_call = false;
  };
  for (const char* key : {"key", "bad//key"}) {
    (void)Await<Result<ObjectVersion>>(runtime, [&](auto done) {
      calling([&] {
        store.Put(key, MakeStringSource("x"), PutPrecondition::None(), {},
                  outside(done));
      });
    });
    std::byte out[1];
    (void)Await<Result<size_t>>(runtime, [&](auto done) {
      calling([&] { store.Get(key, 0, out, {}, outside(done)); });
    });
    (void)Await<Result<ObjectInfo>>(runtime, [&](auto done) {
      calling([&] { store.Head(key, {}, outside(done)); });
    });
    (void)Await<Result<ListPage>>(runtime, [&](auto done) {
      calling([&] { store.List(key, "", 1, {}, outside(done)); });
    });
    (void)Await<Status>(runtime, [&](auto done) {
      calling([&] { store.Delete(key, {}, outside(done)); });
    });
  }
}

TEST_P(ObjectStoreContract, StoreMayGoBeforeItsAnswers) {
  auto answer = Await<Result<ObjectVersion>>(runtime, [&](auto done) {
    store.Put("key", MakeStringSource("x"), PutPrecondition::None(), {},
              std::move(done));
    world->store.reset();
  });
  EXPECT_TRUE(answer.ok()) << answer.status();
}

}  // namespace strata
