// The contract of object stores against real servers.
#include <gtest/gtest.h>

#include "testing/bucket_server.h"
#include "testing/object_store_contract.h"

namespace strata {
namespace {

std::unique_ptr<ObjectStoreWorld> WorldOf(const BucketServer& server) {
  auto world = std::make_unique<ObjectStoreWorld>();
  auto part = std::make_shared<BucketPart>(server);
  world->runtime = part->runtime();
  world->store = part->store();
  world->keep_alive = std::move(part);
  return world;
}

std::vector<ObjectStoreBackend> Backends() {
  std::vector<ObjectStoreBackend> backends;
  for (const BucketServer& server : BucketServers()) {
    backends.push_back({server.name, [server] { return WorldOf(server); },
                        server.lists_control_characters});
  }
  return backends;
}

INSTANTIATE_TEST_SUITE_P(Servers, ObjectStoreContract,
                         testing::ValuesIn(Backends()),
                         [](const auto& param_info) {
                           return param_info.param.name;
                         });

}  // namespace
}  // namespace strata
