#include "worker/lua_globals.h"

#include <cstring>
#include <stdexcept>
#include <vector>

namespace dutybook::worker {

namespace {

// The dump of Lua 5.4 (ldump.c): header, then functions, each with the functions inside it.
constexpr unsigned op_get_global = 11;  // GETTABUP: R[A] := UpValue[B][K[C]]
constexpr unsigned op_set_global = 15;  // SETTABUP: UpValue[A][K[B]] := RK(C)
constexpr std::size_t header_size = 4 + 1 + 1 + 6 + 3 + 8 + 8;
constexpr int line_is_absolute = -128;

class Reader {
public:
    explicit Reader(const std::string& dump) : dump_(dump) {}

    UsedGlobals run() {
        at_ = header_size;
        byte();  // upvalues of the chunk
        function();
        return std::move(used_);
    }

private:
    unsigned byte() { return static_cast<unsigned char>(bytes(1)[0]); }
    const char* bytes(std::size_t count) {
        if (count > dump_.size() - at_) throw std::runtime_error("the dump ends early");
        const char* here = dump_.data() + at_;
        at_ += count;
        return here;
    }
    std::uint64_t number() {
        std::uint64_t value = 0;
        unsigned next = 0;
        do {
            next = byte();
            value = value << 7U | (next & 0x7fU);
        } while ((next & 0x80U) == 0);
        return value;
    }
    std::string text() {
        const std::uint64_t size = number();  // and one; 0 is no text
        return size == 0 ? std::string() : std::string(bytes(size - 1), size - 1);
    }

    std::vector<std::string> constants() {
        std::vector<std::string> all(number());
        for (std::string& each : all) {
            switch (byte()) {
                case 0x03:  // integer
                case 0x13:  // float
                    bytes(8);
                    break;
                case 0x04:
                case 0x14:
                    each = text();
                    break;
                default:  // nil, false, true
                    break;
            }
        }
        return all;
    }

    // Line of each instruction.
    std::vector<std::uint64_t> lines(std::uint64_t first) {
        const std::uint64_t count = number();
        const char* deltas = bytes(count);
        std::map<std::uint64_t, std::uint64_t> absolute;
        for (std::uint64_t left = number(); left > 0; --left) {
            const std::uint64_t instruction = number();
            absolute[instruction] = number();
        }
        std::vector<std::uint64_t> all;
        std::uint64_t line = first;
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto delta = static_cast<std::int8_t>(deltas[i]);
            line =
                delta == line_is_absolute ? absolute[i] : line + static_cast<std::uint64_t>(delta);
            all.push_back(line);
        }
        return all;
    }

    void function() {
        text();  // source
        const std::uint64_t first_line = number();
        number();  // last line
        bytes(3);  // parameters, variadic, stack
        const std::uint64_t count = number();
        const char* code = bytes(count * 4);
        const auto names = constants();
        const std::uint64_t upvalues = number();
        bytes(upvalues * 3);
        for (std::uint64_t inner = number(); inner > 0; --inner) function();
        const auto line = lines(first_line);
        for (std::uint64_t left = number(); left > 0; --left) {  // local variables
            text();
            number();
            number();
        }
        std::vector<std::string> upvalue_names(number());
        for (std::string& each : upvalue_names) each = text();
        const auto of_globals = [&](unsigned upvalue) {
            return upvalue < upvalue_names.size() && upvalue_names[upvalue] == "_ENV";
        };
        for (std::uint64_t i = 0; i < count; ++i) {
            std::uint32_t word = 0;
            std::memcpy(&word, code + i * 4, 4);
            const unsigned a = word >> 7U & 0xffU;
            const unsigned b = word >> 16U & 0xffU;
            const unsigned c = word >> 24U;
            const unsigned operation = word & 0x7fU;
            if (operation == op_get_global && of_globals(b) && c < names.size()) {
                used_.read.emplace(names[c], i < line.size() ? line[i] : first_line);
            }
            if (operation == op_set_global && of_globals(a) && b < names.size()) {
                used_.set.insert(names[b]);
            }
        }
    }

    const std::string& dump_;
    std::size_t at_ = 0;
    UsedGlobals used_;
};

}  // namespace

UsedGlobals globals_of(lua_State* state) {
    std::string dump;
    const auto append = [](lua_State*, const void* part, std::size_t size, void* into) {
        static_cast<std::string*>(into)->append(static_cast<const char*>(part), size);
        return 0;
    };
    if (lua_dump(state, append, &dump, 0) != 0) return {};
    if (dump.size() < header_size || dump.compare(0, 5, "\x1bLua\x54") != 0) return {};
    try {
        return Reader(dump).run();
    } catch (const std::exception&) {
        return {};
    }
}

}  // namespace dutybook::worker
