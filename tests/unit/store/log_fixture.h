#pragma once

#include "store/log.h"
#include "support/log_contract.h"

#include "base/clock.h"

#include <array>
#include <cstdio>
#include <fstream>

namespace dutybook::test {

inline const store::ZstdCodec plain_codec;

inline Result<std::unique_ptr<store::Log>> try_open_log(
    const std::filesystem::path& folder, const store::CommitSigner* signer = nullptr) {
    return store::open_git_log({folder / "log.git", space_id, &plain_codec, signer});
}
inline std::unique_ptr<store::Log> open_log(const std::filesystem::path& folder) {
    return value(try_open_log(folder));
}

// Everything that a command prints, errors included.
inline std::string run(const std::string& command) {
    std::string out;
    FILE* pipe = ::popen(("( " + command + " ) 2>&1").c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::array<char, 4096> buffer{};
    for (std::size_t count; (count = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
        out.append(buffer.data(), count);
    ::pclose(pipe);
    return out;
}

class AcceptAll final : public store::SegmentJudge {
public:
    Result<void> judge(const store::SegmentHeader&, std::string_view, std::string_view,
                       const store::CommitId&) const override {
        return {};
    }
};
inline const AcceptAll accept_all;

// What a transfer does: every log branch of `remote` into the quarantine.
inline std::string fetch(store::Quarantine& quarantine, const std::filesystem::path& remote) {
    return run("git -C " + quarantine.path() + " fetch -q --no-tags " + remote.string() +
               " '+refs/heads/log/*:refs/quarantine/log/*'");
}

inline void overwrite(const std::filesystem::path& file, const std::string& bytes) {
    if (std::filesystem::exists(file))
        std::filesystem::permissions(file, std::filesystem::perms::owner_write,
                                     std::filesystem::perm_options::add);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace dutybook::test
