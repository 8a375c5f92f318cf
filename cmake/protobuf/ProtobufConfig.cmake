include(FindProtobuf)
