#pragma once
// NDJSON in, NDJSON out: a batch of records of any length in bounded memory.

#include "api/call.h"

#include <deque>

namespace dutybook::api {

// Cuts a stream of bytes into lines. A line that is too long is dropped as it comes and told so.
class LineSplitter {
public:
    struct Line {
        std::uint64_t number = 0;  // 1-based; empty lines count, and are not given
        std::string text;
        bool too_long = false;
    };
    explicit LineSplitter(std::size_t most_bytes) : most_bytes_(most_bytes) {}

    void feed(std::string_view piece, std::vector<Line>& out);
    void finish(std::vector<Line>& out);  // the last line needs no newline

private:
    void end_line(std::vector<Line>& out);
    const std::size_t most_bytes_;
    std::string partial_;
    bool too_long_ = false;
    std::uint64_t number_ = 1;
};

// One batch under way. Lines that wait together are one group: one journal transaction. At most
// two groups are under way, so that the next is parsed while one is written; reading the body
// stops while lines or unread answers pile up. All on the connection's thread.
class Batch : public std::enable_shared_from_this<Batch> {
public:
    static void start(const CallPtr& call, core::SpaceService& space);

private:
    struct Group {
        // In the order of the lines: the error of one that was not sent, else nothing.
        std::vector<std::pair<std::uint64_t, std::optional<Error>>> lines;
        std::vector<core::WriteRequest> requests;
    };
    Batch(const CallPtr& call, core::SpaceService& space, core::WriteRequest sample);
    void read();
    void take(const std::string& piece, bool last, bool ok);
    void parse(LineSplitter::Line line);
    Result<core::WriteRequest> request_of(const LineSplitter::Line& line) const;
    void send_group();
    void answer_group(const Group& group, const std::vector<Result<core::Written>>& results);
    void go_on();

    const CallPtr call_;
    core::SpaceService& space_;
    const core::WriteRequest sample_;  // caller, reason and key of all lines
    LineSplitter splitter_;
    Group waiting_;
    std::size_t groups_under_way_ = 0;
    bool reading_ = false, body_ended_ = false, finished_ = false;
};

}  // namespace dutybook::api
