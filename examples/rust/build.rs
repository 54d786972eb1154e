fn main() -> std::io::Result<()> {
    let googleapis = std::env::var("GOOGLEAPIS").expect("GOOGLEAPIS: the folder in which google/rpc/status.proto is");
    tonic_prost_build::configure()
        .build_server(false)
        .compile_protos(&["../../proto/caraway/v1/task_service.proto"], &["../../proto", &googleapis])
}
