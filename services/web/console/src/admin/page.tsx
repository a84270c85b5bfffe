import { useStore } from "../store";
import { words } from "../words";
import { Audit } from "./audit";
import { Keys } from "./keys";
import { Letters } from "./letters";
import { Mesh } from "./mesh";
import { Tenants } from "./tenants";

/** For those who look after the mesh. */
export function AdminPage() {
  const text = useStore(words).admin;
  return (
    <div class="page">
      <h1>{text.title}</h1>
      <Mesh />
      <Tenants />
      <Keys />
      <Letters />
      <Audit />
    </div>
  );
}
