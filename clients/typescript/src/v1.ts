/** The contract's messages and services, as generated from proto/. */
export * from "./gen/caraway/v1/admin_service_pb.js";
export * from "./gen/caraway/v1/control_service_pb.js";
export * from "./gen/caraway/v1/errors_pb.js";
export * from "./gen/caraway/v1/task_pb.js";
export * from "./gen/caraway/v1/task_service_pb.js";
export * from "./gen/caraway/v1/worker_service_pb.js";
export * from "./gen/caraway/v1/workflow_pb.js";
export * from "./gen/caraway/v1/workflow_service_pb.js";
