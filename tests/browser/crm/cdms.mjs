// CDMS as somebody else sees it: its records by its own endpoint, edits that the application does not know of, its log, and
// faults on demand by the simulator's control interface.

const ROOT = "/ORG/XRMServices/2011/OrganizationData.svc";

export class Cdms {
  /** `control` is the address of the control interface. */
  constructor(control) {
    this.control = control.replace(/\/$/, "");
    this.service = new URL(ROOT, control).href;
  }

  /** Every record of a set. */
  async all(set, query = "") {
    const records = [];
    let next = `${this.service}/${set}${query && `?${query}`}`;
    while (next) {
      const { d } = await this.#json("GET", next);
      records.push(...d.results);
      next = d.__next;
    }
    return records;
  }

  async get(set, id) {
    return (await this.#json("GET", `${this.service}/${set}(guid'${id}')`)).d;
  }

  /** An edit in CDMS itself. */
  async edit(set, id, attributes) {
    await this.#json("POST", `${this.service}/${set}(guid'${id}')`, attributes, { "x-http-method": "MERGE" });
  }

  /** A record that is created in CDMS itself; returns its id. */
  async create(set, key, attributes) {
    return (await this.#json("POST", `${this.service}/${set}`, attributes)).d[key];
  }

  async delete(set, id) {
    await this.#json("POST", `${this.service}/${set}(guid'${id}')`, undefined, { "x-http-method": "DELETE" });
  }

  /** The commits of a record, in order: `kind`, `sent`, `before`, `after`. */
  async commits(id) {
    return (await this.#json("GET", `${this.control}/log`)).filter((commit) => commit.id === id);
  }

  /** What `work` makes happen while every request to CDMS has a fault. */
  async during(fault, work) {
    await this.#json("POST", `${this.control}/faults`, { fault });
    try {
      return await work();
    } finally {
      await this.healthy();
    }
  }

  /** Takes all faults back. */
  async healthy() {
    await this.#json("DELETE", `${this.control}/faults`);
  }

  /** Puts records into CDMS as they are, whether CDMS itself would accept them or not. */
  async seed(scene) {
    await this.#json("POST", `${this.control}/seed`, scene);
  }

  /** A fault for `times` requests with this operation, after `skip` others. */
  async order(fault, operation, times = 1, skip = 0) {
    await this.#json("POST", `${this.control}/faults`, { fault, operation, times, skip });
  }

  async #json(method, address, body, headers = {}) {
    const response = await fetch(address, {
      method,
      headers: { accept: "application/json", "content-type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${address}: ${response.status} ${text.slice(0, 300)}`);
    return text && JSON.parse(text);
  }
}

/** The instant of a time as CDMS writes it, `/Date(ms)/`. */
export const instant = (text) => new Date(Number(/\((-?\d+)/.exec(text)[1]));
