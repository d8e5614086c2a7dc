// BucketServer: a bucket on a server, whatever it speaks. What the tests in
// tests/servers have in common is written once, for all of them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "object_store/prefixed_object_store.h"
#include "runtime/thread_runtime.h"
#include "testing/object_store_client.h"

namespace strata {

// As a user of the program names it.
struct BucketForUsers {
  std::string url;                                 // "s3://bucket"
  std::string parameters;                          // "?endpoint=..."
  std::map<std::string, std::string> environment;  // with the credentials
  std::string secret;       // the variable that holds the secret one
  std::string wrong;        // a secret that looks like one
  std::string wrong_word;   // what the server calls that
  std::string absent_url;   // of a bucket that is not there
  std::string absent_word;  // what the server calls that
  std::string away_url;     // where nobody answers

  std::string Cold(const std::string& prefix) const {
    return url + "/" + prefix + parameters;
  }
};

struct BucketServer {
  std::string name;
  // Asked within tests only: the server may not be there before.
  std::function<std::shared_ptr<ObjectStore>()> connect;
  // Null where the list has the same server once more: the program's tests take
  // their time.
  std::function<BucketForUsers()> for_users{};
  bool lists_control_characters = true;  // see ObjectStoreBackend

  friend std::ostream& operator<<(std::ostream& out,
                                  const BucketServer& server) {
    return out << server.name;
  }
};

// Those of one kind; defined once for each.
std::vector<BucketServer> BucketServers();

// A part of a bucket of its own, which goes with it.
class BucketPart {
 public:
  explicit BucketPart(const BucketServer& server)
      : runtime_(MakeThreadRuntime()),
        prefix_("test-" + std::to_string(runtime_->random().Next())),
        store_(std::make_shared<PrefixedObjectStore>(server.connect(),
                                                     prefix_ + "/")) {}
  ~BucketPart() {
    ObjectStoreClient client(*store_, *runtime_);
    for (const std::string& key : client.Keys()) {
      EXPECT_EQ(client.Delete(key), Status::Ok());
    }
  }

  const std::string& prefix() const { return prefix_; }
  const std::shared_ptr<ObjectStore>& store() const { return store_; }
  const std::shared_ptr<Runtime>& runtime() const { return runtime_; }

 private:
  const std::shared_ptr<Runtime> runtime_;
  const std::string prefix_;
  const std::shared_ptr<ObjectStore> store_;
};

}  // namespace strata
