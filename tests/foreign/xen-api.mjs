// A client of xapi-farm by the library xen-api, for xen-api.t, which sets FOREIGN (the folder with node_modules), POOL_URL,
// POOL_USER and POOL_PASSWORD. Says what it saw in lines of JSON: a test's name, what it got and what it wants.
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

const { FOREIGN, POOL_URL, POOL_USER, POOL_PASSWORD } = process.env
const { Xapi } = await import(pathToFileURL(join(FOREIGN, 'node_modules', 'xen-api', 'index.mjs')))

const is = (name, got, want) => console.log(JSON.stringify({ name, got, want }))
const code = promise => promise.then(() => 'no error', error => error.code ?? String(error))

// The next record of a reference that is as wanted, from the library's own collection, which events keep up.
function becomes(xapi, ref, wanted) {
  return new Promise(resolve => {
    const look = () => {
      const object = xapi.getObject(ref, undefined)
      if (object !== undefined && wanted(object)) {
        xapi.objects.removeListener('update', look)
        xapi.objects.removeListener('add', look)
        resolve(object)
      }
    }
    xapi.objects.on('update', look)
    xapi.objects.on('add', look)
    look()
  })
}

// JSON-RPC is none of xapi-farm's.
const xapi = new Xapi({
  auth: { user: POOL_USER, password: POOL_PASSWORD },
  debounce: 50,
  transport: 'xml-rpc',
  url: POOL_URL,
})
await xapi.connect()
is('it connects', xapi.status, 'connected')
await xapi.objectsFetched
const all = Object.values(xapi.objects.all)
const vms = all.filter(object => object.$type === 'VM' && !object.is_a_template && !object.is_control_domain)
const guest = vms.find(vm => vm.power_state === 'Running')
is('it has every VM', vms.map(vm => vm.uuid).sort(), await guests())
is('... and every host', all.filter(object => object.$type === 'host').length, (await xapi.call('host.get_all')).length)
is('it knows the coordinator', xapi.pool.$master?.$type, 'host')
is('... and where the VM runs', guest.$resident_on?.$type, 'host')

async function guests() {
  const records = Object.values(await xapi.call('VM.get_all_records'))
  return records.filter(vm => !vm.is_a_template && !vm.is_control_domain).map(vm => vm.uuid).sort()
}

is('a mark that it makes on the pool comes back as an event', await xapi.barrier().then(() => 'came'), 'came')
await xapi.call('VM.pause', guest.$ref)
is('its VM.pause comes back as an event', (await becomes(xapi, guest.$ref, vm => vm.power_state === 'Paused')).power_state, 'Paused')
await xapi.call('VM.unpause', guest.$ref)
await becomes(xapi, guest.$ref, vm => vm.power_state === 'Running')

await xapi.callAsync('VM.clean_shutdown', guest.$ref)
is('a task of VM.clean_shutdown ends well', await xapi.getField('VM', guest.$ref, 'power_state'), 'Halted')
is('... which an event tells too', (await becomes(xapi, guest.$ref, vm => vm.power_state === 'Halted')).$resident_on, undefined)
await xapi.callAsync('VM.start', guest.$ref, false, false)
is('a task of VM.start ends well', await xapi.getField('VM', guest.$ref, 'power_state'), 'Running')
is('a refusal of a call has its code', await code(xapi.call('VM.start', guest.$ref, false, false)), 'VM_BAD_POWER_STATE')
is('... of a task too', await code(xapi.callAsync('VM.unpause', guest.$ref)), 'VM_BAD_POWER_STATE')
await xapi.setFieldEntry('VM', guest.$ref, 'other_config', 'foreign', 'yes')
const marked = await becomes(xapi, guest.$ref, vm => vm.other_config.foreign === 'yes')
is('an entry of a map is set', marked.other_config.foreign, 'yes')
is('its tasks are gone', await tasks(), [])

// It destroys them without waiting for it.
async function tasks() {
  let found
  for (let tries = 0; tries < 200; tries++) {
    const records = Object.values(await xapi.call('task.get_all_records'))
    found = records.map(task => task.name_label).filter(label => label.startsWith('Async.'))
    if (found.length === 0) break
    await setTimeout(50)
  }
  return found
}

await xapi.disconnect()
is('it ends', xapi.status, 'disconnected')
const stranger = new Xapi({ auth: { user: POOL_USER, password: 'wrong' }, transport: 'xml-rpc', url: POOL_URL, watchEvents: false })
is('a wrong password', await code(stranger.connect()), 'SESSION_AUTHENTICATION_FAILED')
process.exit(0)
