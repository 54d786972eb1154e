//! Submits a task and prints its result: caraway-example http://localhost:50051 tasks.add '[2, 2]'

mod google {
    pub mod rpc {
        tonic::include_proto!("google.rpc");
    }
}
mod caraway {
    pub mod v1 {
        tonic::include_proto!("caraway.v1");
    }
}

use caraway::v1::task_service_client::TaskServiceClient;
use caraway::v1::{payload::Body, task::State, Payload, SubmitTaskRequest, TaskSpec, WaitTaskRequest};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [target, name, args] = <[String; 3]>::try_from(std::env::args().skip(1).collect::<Vec<_>>())
        .map_err(|_| "usage: caraway-example TARGET NAME ARGS")?;
    let mut tasks = TaskServiceClient::connect(target).await?;

    // Without a task_id of its own the call must not be repeated: the gateway makes an id.
    let json = format!(r#"{{"args":{args},"kwargs":{{}}}}"#);
    let payload = Some(Payload { body: Some(Body::Json(json)), ..Default::default() });
    let task = Some(TaskSpec { name, payload, ..Default::default() });
    let submitted = tasks.submit_task(SubmitTaskRequest { task, ..Default::default() }).await?;
    let task_id = submitted.into_inner().task.unwrap_or_default().task_id;

    loop {
        // Waits up to a minute, then says how the task stands.
        let request = WaitTaskRequest { task_id: task_id.clone(), ..Default::default() };
        let waited = tasks.wait_task(request).await?.into_inner();
        let task = waited.task.unwrap_or_default();
        match (waited.done, task.state()) {
            (false, _) => continue,
            (true, State::Succeeded) => {
                if let Some(Payload { body: Some(Body::Json(value)), .. }) = task.result {
                    println!("{value}");
                }
                return Ok(());
            }
            (true, state) => return Err(format!("{}: {:?}", state.as_str_name(), task.error).into()),
        }
    }
}
