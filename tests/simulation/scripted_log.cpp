#include "simulation/scripted_log.h"

namespace dutybook::simulation {

void write_scripted_log(testing::RepositoryData& remote, const store::SegmentCodec& codec,
                        Random& random) {
    const domain::Writer writer = random.word(8) + "-" + random.word(6);
    const std::vector<std::string> segments[] = {
        {R"({"by":"s","do":"create","hlc":[1780000000000,0],"kind":"core.duty","record":"d0",)"
         R"("set":{"title":"scripted"}})",
         R"({"by":"s","do":"change","hlc":[1780000000001,0],"record":"d1","set":{"title":"s1"}})"},
        {"not even JSON", R"({"do":"change","hlc":[1,0],"record":"d0","set":{"x":1},"set":{}})",
         R"({"do":"change","hlc":[1,0],"record":"d2","set":{"tags":"a register now"}})",
         R"({"do":"change","hlc":[9007199254740991,0],"inc":{"title":1},"record":"d3"})"},
        {R"({"do":"delete","hlc":[1780000000002,0],"record":"d1"})",
         R"({"do":"erase","hlc":[1,0],"record":"d0"})",
         R"({"do":"change","format":2,"hlc":[1,0],"record":"d0"})",
         R"({"do":"change","hlc":[1,0],"record":"d0","set":{"title":"behind the newer one"}})"},
    };
    store::CommitId tip;
    std::uint64_t next = 1;
    for (const auto& lines : segments) {
        store::Segment segment;
        segment.header.codec = codec.name();
        segment.header.space = space_id;
        segment.header.writer = writer;
        segment.header.first = next;
        segment.header.last = next + lines.size() - 1;
        segment.header.previous = tip;
        segment.header.time = 1'780'000'000'000;
        segment.lines = lines;
        // It claims to know everybody's future.
        for (const auto& [ref, unused] : remote.refs) {
            if (const auto name = store::VolumeName::parse(ref); name && name->writer != writer) {
                segment.frontier.advance(name->writer, 1'000'000, "");
            }
        }
        next += lines.size();
        auto blob = store::encode_segment(segment, codec);
        auto [id, commit] = testing::make_commit(tip, std::move(*blob), codec);
        remote.commits.emplace(id, std::move(commit));
        tip = id;
    }
    remote.refs[store::VolumeName{writer, 1}.ref()] = tip;
}

}  // namespace dutybook::simulation
